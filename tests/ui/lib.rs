//! Has nothing: this package is apart so that its cases are built with the facade alone.
