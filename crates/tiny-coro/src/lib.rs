//! An M:N asynchronous runtime that can be taken apart: the facade
