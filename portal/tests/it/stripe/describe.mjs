// Writes the trimmed description that the tests check Stripe's requests and events against, from the types of the official
// library, which Stripe generates from its OpenAPI document:
//   npm pack stripe@16.12.0 && tar xf stripe-16.12.0.tgz
//   node describe.mjs package path/to/node_modules/typescript > api-2024-06-20.json
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [library, typescript] = process.argv.slice(2).map((path) => resolve(path));
const ts = createRequire(import.meta.url)(typescript);

// What the portal sends and reads, by its first part; the whole of each such part is described.
const wanted = {
  "POST /v1/checkout/sessions": ["Checkout.SessionCreateParams", ["mode", "success_url", "cancel_url", "client_reference_id", "metadata", "subscription_data", "line_items"]],
  "POST /v1/subscriptions/{id}": ["SubscriptionUpdateParams", ["cancel_at_period_end", "items", "metadata", "payment_behavior", "proration_behavior", "proration_date"]],
  "checkout.session": ["Checkout.Session", ["id", "object", "mode", "status", "payment_status", "amount_total", "currency", "client_reference_id", "metadata", "customer", "subscription", "invoice", "payment_intent", "livemode", "url"]],
  subscription: ["Subscription", ["id", "object", "cancel_at_period_end", "items", "metadata", "status", "canceled_at", "cancel_at", "current_period_start", "current_period_end", "ended_at", "customer", "latest_invoice"]],
  invoice: ["Invoice", ["id", "object", "billing_reason", "amount_paid", "amount_due", "currency", "paid", "status", "customer", "subscription", "payment_intent", "charge", "subscription_details", "lines", "metadata", "attempt_count", "status_transitions"]],
  charge: ["Charge", ["id", "object", "amount", "amount_refunded", "payment_intent", "invoice", "refunded", "metadata", "currency"]],
  dispute: ["Dispute", ["id", "object", "status", "amount", "charge", "payment_intent", "metadata", "currency", "reason"]],
};

const entry = join(library, "types/index.d.ts");
const probe = join(library, "probe.ts");
const names = Object.entries(wanted).map(([, [type]], n) => `export type T${n} = Stripe.${type};`);
const source = `import Stripe from "stripe";\n${names.join("\n")}\n`;
const options = { strict: true, skipLibCheck: true, noEmit: true, baseUrl: library, paths: { stripe: [entry] }, types: [], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022 };
const host = ts.createCompilerHost(options);
const read = host.getSourceFile.bind(host);
host.getSourceFile = (name, ...rest) => (name === probe ? ts.createSourceFile(name, source, rest[0], true) : read(name, ...rest));
const exists = host.fileExists.bind(host);
host.fileExists = (name) => name === probe || exists(name);
const program = ts.createProgram([probe], options, host);
const checker = program.getTypeChecker();
const file = program.getSourceFile(probe);

/** What a type takes: sorted names of kinds, literals in quotes; members and elements below the path. */
function walk(type, path, into, depth) {
  const parts = type.isUnion() ? type.types : [type];
  const kinds = new Set();
  for (const part of parts) {
    if (part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) continue;
    if (part.flags & ts.TypeFlags.Null) kinds.add("null");
    else if (part.isStringLiteral()) kinds.add(`"${part.value}"`);
    else if (part.flags & ts.TypeFlags.StringLike) kinds.add("string");
    else if (part.flags & ts.TypeFlags.NumberLike) kinds.add("number");
    else if (part.flags & ts.TypeFlags.BooleanLike) kinds.add("boolean");
    else if (checker.isArrayType(part)) {
      kinds.add("array");
      walk(checker.getTypeArguments(part)[0], `${path}[]`, into, depth + 1);
    } else if (part.symbol?.name === "Metadata" || part.symbol?.name === "MetadataParam" || checker.getIndexInfoOfType(part, ts.IndexKind.String)) {
      kinds.add("map");
    } else {
      kinds.add("object");
      // Where an id stands for an object that could be expanded, the id is what the portal reads.
      const expandable = parts.some((other) => other.flags & ts.TypeFlags.String);
      if (depth < 4 && !expandable && !known.has(part.symbol?.name)) members(part, path, into, depth + 1);
    }
  }
  into[path] = [...kinds].sort();
}

// Objects that stand in others as a whole, and that the portal does not look into.
const known = new Set(["Price", "Plan", "Discount", "TaxRate", "Coupon", "TestClock", "Mandate", "Source"]);

function members(type, path, into, depth, only) {
  for (const property of checker.getPropertiesOfType(type)) {
    if (only && !only.includes(property.name)) continue;
    if (["deleted", "lastResponse"].includes(property.name)) continue;
    const of = checker.getTypeOfSymbolAtLocation(property, file);
    walk(of, path ? `${path}.${property.name}` : property.name, into, depth);
  }
}

const shapes = {};
Object.entries(wanted).forEach(([name, [, only]], n) => {
  const symbol = checker.getExportsOfModule(checker.getSymbolAtLocation(file)).find((s) => s.name === `T${n}`);
  const into = {};
  members(checker.getDeclaredTypeOfSymbol(symbol), "", into, 0, only);
  shapes[name] = Object.fromEntries(Object.entries(into).sort(([a], [b]) => (a < b ? -1 : 1)));
});
const about = {
  source: "stripe-node 16.12.0, types/, generated by Stripe from its OpenAPI document; trimmed by describe.mjs",
  license: "MIT, Copyright (C) 2011 Ask Bjorn Hansen, 2013 Stripe, Inc. (https://stripe.com): https://github.com/stripe/stripe-node/blob/master/LICENSE",
  api_version: "2024-06-20",
};
const lines = Object.entries(shapes).map(([name, shape]) => `    ${JSON.stringify(name)}: {\n${Object.entries(shape).map(([path, kinds]) => `      ${JSON.stringify(path)}: ${JSON.stringify(kinds)}`).join(",\n")}\n    }`);
process.stdout.write(`{\n  "about": ${JSON.stringify(about)},\n  "shapes": {\n${lines.join(",\n")}\n  }\n}\n`);
