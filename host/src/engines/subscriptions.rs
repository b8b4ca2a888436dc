//! Forwards events to the engines whose manifest subscribes to them, each through a bounded queue.

use std::{sync::Arc, time::Duration};

use plugin_api::{
    error::encode,
    services::{events::Event, host_calls},
};
use tokio::sync::{broadcast::error::RecvError, mpsc};

use super::live::Live;
use crate::{app::Core, events::topic_matches};

const QUEUE: usize = 1_024;
const DEADLINE: Duration = Duration::from_secs(10);

/// Start forwarding to a version, until it stops receiving.
pub(super) fn start(core: &Arc<Core>, live: &Arc<Live>) {
    let patterns = live.manifest().capabilities.subscribes.clone();
    if patterns.is_empty() {
        return;
    }
    let mut events = core.events.subscribe();
    let (queue, mut waiting) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (id, stop) = (live.manifest().id.clone(), live.stop.clone());
    core.tasks.spawn(async move {
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = events.recv() => event,
            };
            let event = match event {
                Ok(event) => event,
                Err(RecvError::Lagged(n)) => {
                    tracing::warn!(engine.id = %id, events = n, "an engine missed events");
                    continue;
                }
                Err(RecvError::Closed) => return,
            };
            if !patterns.iter().any(|p| topic_matches(p, &event.topic)) {
                continue;
            }
            let told = Event {
                topic: event.topic.clone(),
                machine_id: event.machine_id.map(|id| id.to_string()),
                permission: Some(event.permission.clone()),
                data: event.data.clone(),
            };
            let Ok(payload) = encode(&told) else { continue };
            if queue.try_send(payload).is_err() {
                tracing::warn!(engine.id = %id, topic = %event.topic, "an engine is too slow for its events");
            }
        }
    });
    let (instance, stop) = (live.instance.clone(), live.stop.clone());
    let id = live.manifest().id.clone();
    core.tasks.spawn(async move {
        loop {
            let payload = tokio::select! {
                () = stop.cancelled() => return,
                payload = waiting.recv() => payload,
            };
            let Some(payload) = payload else { return };
            if let Err(error) = instance.call(host_calls::EVENT, payload, DEADLINE).await {
                tracing::warn!(engine.id = %id, %error, "an engine did not take an event");
            }
        }
    });
}
