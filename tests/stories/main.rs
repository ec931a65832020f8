//! Stories: each tells what a team lives through, with the real binary.

mod backend_dies;
mod browser;
mod command_line;
mod crash;
mod demo;
mod plans;
mod reload;
