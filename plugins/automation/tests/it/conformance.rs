//! The contract that every engine keeps.

#[tokio::test]
async fn the_engine_keeps_the_contract() {
    plugin_testing::conformance::check::<automation::Automation>().await;
}
