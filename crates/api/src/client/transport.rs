//! Sending a request and judging what came back, whatever it is about.

use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::Body;
use ureq::http::Response;

use crate::client::error::ClientError;
use crate::client::{ANSWER_BYTES_MAX, Client};
use crate::problem::Problem;

impl Client {
    pub(super) fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let bytes = self.get(path)?;
        serde_json::from_slice(&bytes).map_err(|error| self.garbled(error.to_string()))
    }

    pub(super) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let bytes = self.get(path)?;
        String::from_utf8(bytes).map_err(|error| self.garbled(error.to_string()))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}{path}", self.url);
        self.twice(|| {
            let response = self
                .agent
                .get(&url)
                .config()
                .timeout_global(Some(self.call_timeout))
                .build()
                .call();
            self.answer(response)
        })
    }

    pub(super) fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
        timeout: Duration,
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.url);
        let body = serde_json::to_vec(body).map_err(|error| self.garbled(error.to_string()))?;
        let bytes = self.twice(|| {
            let response = self
                .agent
                .post(&url)
                .content_type("application/json")
                .config()
                .timeout_global(Some(timeout))
                .build()
                .send(body.as_slice());
            self.answer(response)
        })?;
        serde_json::from_slice(&bytes).map_err(|error| self.garbled(error.to_string()))
    }

    /// A kept-alive connection may have died since; requests are harmless when repeated. What broke
    /// off may have been acted upon, also when nobody is there any more the second time.
    fn twice<T>(&self, call: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
        match call() {
            Err(broken @ ClientError::Broken { .. }) => match call() {
                Err(ClientError::Unreachable { .. }) => Err(broken),
                again => again,
            },
            result => result,
        }
    }

    fn answer(
        &self,
        response: Result<Response<Body>, ureq::Error>,
    ) -> Result<Vec<u8>, ClientError> {
        let mut response = response.map_err(|error| ClientError::of(&self.url, &error))?;
        let status = response.status();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| ClientError::of(&self.url, &error))?;
        if status.is_success() {
            return Ok(bytes);
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => {
                Err(ClientError::Problem { url: self.url.clone(), problem: Box::new(problem) })
            }
            Err(_) => Err(self.garbled(format!("HTTP status {status} without a problem document"))),
        }
    }

    pub(super) fn garbled(&self, reason: String) -> ClientError {
        ClientError::Garbled { url: self.url.clone(), reason }
    }
}
