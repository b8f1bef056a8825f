//! What the tests of this crate share: a small network, and a validator of it that says what it is
//! told to.

pub(crate) mod backend;
pub(crate) mod http;
pub(crate) mod network;

use std::collections::BTreeSet;

const TABLE: &str = include_str!("server/routes.rs");

/// Every endpoint of the description with its methods, with something in the place of each variable
/// segment. The description has all of the router's, and no other.
pub(crate) fn routes() -> Vec<(String, String)> {
    let description: serde_json::Value = serde_json::from_str(&crate::openapi::document()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let routed = TABLE.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert_eq!(routed.collect::<BTreeSet<_>>(), paths.keys().map(String::as_str).collect());
    let mut routes = Vec::new();
    for (path, methods) in paths {
        let path = path.replace("{block}", "1").replace("{id}", &"0".repeat(64));
        let path = path.replace("{address}", &network::address_text(0));
        for method in methods.as_object().unwrap().keys() {
            routes.push((method.to_uppercase(), path.clone()));
        }
    }
    routes
}
