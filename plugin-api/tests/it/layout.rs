//! The binary layout of everything that crosses, as a snapshot. A change of it is a change of the contract: fields and
//! methods may be added at the end; whatever else differs needs a new minor version of `plugin-api`.

use std::collections::BTreeSet;
use std::fmt::Write;

use abi_stable::StableAbi;
use abi_stable::type_layout::{TLData, TLField, TypeLayout};
use plugin_api::abi::EngineModuleRef;

/// Every type that can be reached, with what it looks like.
#[derive(Default)]
struct Seen {
    layouts: BTreeSet<*const TypeLayout>,
    texts: BTreeSet<String>,
}

fn walk(layout: &'static TypeLayout, seen: &mut Seen) {
    if !seen.layouts.insert(layout) {
        return;
    }
    let (size, align) = (layout.size(), layout.alignment());
    let mut text = format!("{} size {size} align {align}\n", layout.full_type());
    match layout.data() {
        TLData::Enum(of) => {
            let names: Vec<_> = of.variant_names_iter().collect();
            writeln!(text, "  variants {}", names.join(", ")).unwrap();
            of.fields.iter().for_each(|f| field(f, &mut text, seen));
        }
        TLData::PrefixType(of) => of.fields.iter().for_each(|f| field(f, &mut text, seen)),
        TLData::Struct { fields } | TLData::Union { fields } => {
            fields.iter().for_each(|f| field(f, &mut text, seen));
        }
        TLData::Primitive(_) | TLData::Opaque => {}
    }
    layout.phantom_fields().iter().for_each(|f| walk(f.layout(), seen));
    seen.texts.insert(text);
}

fn field(field: TLField, text: &mut String, seen: &mut Seen) {
    writeln!(text, "  {}: {}", field.name(), field.full_type()).unwrap();
    for function in field.function_range().iter() {
        writeln!(text, "    {function}").unwrap();
        function.param_type_layouts.iter().for_each(|layout| walk(layout(), seen));
        if let Some(result) = function.return_type_layout() {
            walk(result(), seen);
        }
    }
    walk(field.layout(), seen);
}

#[test]
fn the_layout_of_the_contract_has_not_changed() {
    let mut seen = Seen::default();
    walk(<EngineModuleRef as StableAbi>::LAYOUT, &mut seen);
    for name in ["AbiRequest", "AbiCommand", "SqlValue", "LogRecord", "ServerServices"] {
        let reached = seen.texts.iter().any(|text| text.starts_with(&format!("{name} ")));
        assert!(reached, "{name} is not reached");
    }
    let text: String = seen.texts.into_iter().collect();
    insta::assert_snapshot!("layout", text);
}
