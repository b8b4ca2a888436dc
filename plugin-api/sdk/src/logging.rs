//! Tracing forwarded to the host: the host is asked before a record is formatted.
//!
//! Each loaded library has its own copy of tracing, so its default subscriber is the engine's alone. Where
//! several engines share one copy (tests link them as ordinary crates) no default is installed; the SDK then
//! selects the engine's subscriber around every run of its code.

use std::fmt::{Debug, Write};

use plugin_api::abi::{
    LogRecord, LogSinkBox,
    abi_stable::std_types::{RString, RVec, Tuple2},
};
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// Longest message or field value that is forwarded, in bytes.
const MAX_TEXT: usize = 8 * 1024;

pub(crate) fn dispatch(sink: LogSinkBox) -> Dispatch {
    Dispatch::new(Registry::default().with(Forward { sink }))
}

/// Make `dispatch` the library's default; false when there is one already.
pub(crate) fn set_default(dispatch: &Dispatch) -> bool {
    tracing::dispatcher::set_global_default(dispatch.clone()).is_ok()
}

struct Forward {
    sink: LogSinkBox,
}

/// Fields of a span, kept until events inside it are forwarded.
struct SpanFields(Fields);

fn level(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

impl<S> Layer<S> for Forward
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The host may change its level at any time.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.sink.enabled(level(metadata.level()), metadata.target().into())
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        if let Some(scope) = ctx.event_scope(event) {
            for span in scope.from_root() {
                if let Some(SpanFields(outer)) = span.extensions().get() {
                    fields.pairs.extend(outer.pairs.iter().cloned());
                }
            }
        }
        event.record(&mut fields);
        self.sink.log(LogRecord {
            level: level(event.metadata().level()),
            target: event.metadata().target().into(),
            message: fields.message.into(),
            fields: RVec::from(fields.pairs),
        });
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    pairs: Vec<Tuple2<RString, RString>>,
}

impl Fields {
    fn put(&mut self, field: &Field, mut value: String) {
        if value.len() > MAX_TEXT {
            value.truncate(value.floor_char_boundary(MAX_TEXT));
            value.push('…');
        }
        if field.name() == "message" {
            self.message = value;
            return;
        }
        let name = RString::from(field.name());
        match self.pairs.iter_mut().find(|pair| pair.0 == name) {
            Some(pair) => pair.1 = value.into(),
            None => self.pairs.push(Tuple2(name, value.into())),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a string cannot fail; a failing `Debug` leaves what it wrote.
        let _ = write!(text, "{value:?}");
        self.put(field, text);
    }
}
