//! What is for sale, how much of it there is, and for which orders it is set aside.

mod domain;
