//! What was compared, as a value, as text and as JSON.

mod json;
mod text;
mod value;

pub use json::lines as json;
pub use text::text;
pub use value::Report;
