# One cargo command each.

# Everything CI checks
check:
    bash .ci/run

# All tests
test:
    cargo test

# Look at changed snapshots one by one (needs cargo-insta)
review:
    cargo insta review

# Fail on snapshots that no test uses any more (needs cargo-insta)
dead:
    cargo insta test --workspace --all-features --check --unreferenced=reject

# Write the computed documents to docs/
docs:
    cargo run --release --quiet --package lazymmu-docs

# Open every kind of page in headless Chromium; pictures go to target/views/
views:
    cargo test --test it views::browser -- --ignored

# Measure; ratios side by side
bench:
    cargo bench

# Documentation of all crates
doc:
    cargo doc --workspace --no-deps --open

# Run a scenario: just run scenarios/nesting/nested.scn --arch arm64
run *ARGS:
    cargo run --release --quiet -- run {{ARGS}}
