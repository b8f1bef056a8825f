mod bounds;
mod endpoints;
mod hostile;
mod problems;
mod streams;
mod submissions;
