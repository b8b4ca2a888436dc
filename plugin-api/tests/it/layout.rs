//! The binary layout of everything that crosses, as a snapshot. A change of it is a change of the contract: fields and
//! methods may be added at the end; whatever else differs needs a new minor version of `plugin-api`.

use std::collections::BTreeMap;
use std::fmt::Write;

use abi_stable::StableAbi;
use abi_stable::type_layout::{TLData, TLField, TypeLayout};
use plugin_api::abi::EngineModuleRef;

/// Every type that can be reached, by name.
type Seen = BTreeMap<String, String>;

fn walk(layout: &'static TypeLayout, seen: &mut Seen) {
    let name = layout.full_type().to_string();
    if seen.contains_key(&name) {
        return;
    }
    seen.insert(name.clone(), String::new());
    let mut text = format!("size {} align {}\n", layout.size(), layout.alignment());
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
    seen.insert(name, text);
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
    let mut seen = Seen::new();
    walk(<EngineModuleRef as StableAbi>::LAYOUT, &mut seen);
    for name in ["AbiRequest", "AbiCommand", "SqlValue", "LogRecord", "ServerServices"] {
        assert!(seen.contains_key(name), "{name} is not reached: {:?}", seen.keys());
    }
    let text: String = seen.iter().map(|(name, layout)| format!("{name} {layout}")).collect();
    insta::assert_snapshot!("layout", text);
}
