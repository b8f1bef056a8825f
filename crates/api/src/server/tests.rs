mod bounds;
mod endpoints;
mod evidence;
mod hostile;
mod problems;
mod streams;
mod submissions;
