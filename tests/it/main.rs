//! All tests of the workspace that go through public items.
