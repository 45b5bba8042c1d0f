//! Every message of the attributes, with the place it points at.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
