//! The contract.

#[tokio::test]
async fn the_engine_keeps_the_contract() {
    plugin_testing::conformance::check::<proplus_core::ProplusCore>().await;
}
