mod bounds;
mod endpoints;
mod evidence;
mod forks;
mod hostile;
mod problems;
mod streams;
mod submissions;
