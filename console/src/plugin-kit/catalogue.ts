// An engine's texts by key and language. What the reader's language lacks is said in English.
import { createElement, Fragment, type ReactNode } from "react";
import { currentLanguage, number } from "../i18n";

/** Forms of a text by the number in `{count}`, as `Intl.PluralRules` names them: `one` and `other` in English and German. */
export type Forms = { readonly [form in Intl.LDMLPluralRule]?: string } & { readonly other: string };
export type Message = string | Forms;
export type Messages = Readonly<Record<string, Message>>;

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
/** Names of a text's holes; what has forms is chosen by a `count`. */
type Holes<M> = M extends string ? Names<M> : M extends object ? Names<M[keyof M]> | "count" : never;
type Values<M, V> = { [N in Holes<M>]: N extends "count" ? number : V };
/** Nothing to pass for a text without holes. */
type Rest<M, V> = [Holes<M>] extends [never] ? [] : [values: Values<M, V>];

type SameHoles<A, B> = [Holes<A>] extends [Holes<B>] ? ([Holes<B>] extends [Holes<A>] ? unknown : never) : never;
/** English has every key; another language has those, with the same holes, and no others. */
type Checked<C extends { en: Messages }> = {
  [L in keyof C]: { [K in keyof C["en"]]: K extends keyof C[L] ? SameHoles<C[L][K], C["en"][K]> : Message } & {
    [K in Exclude<keyof C[L], keyof C["en"]>]: never;
  };
};

/** The text of a key in the reader's language now, with its holes filled. */
export interface Translate<M extends Messages> {
  /** Numbers are written as the reader writes them: pass what is no quantity, such as a version, as a text. */
  <K extends keyof M>(key: K, ...rest: Rest<M[K], string | number>): string;
  /** The same with elements in its holes, so that each language puts them where they belong. */
  rich: <K extends keyof M>(key: K, ...rest: Rest<M[K], ReactNode>) => ReactNode;
  /** What it was made of, for tests. */
  texts: { readonly [language: string]: Messages };
}

/** Keep texts by language, `en` first: `const t = catalogue({ en: { hello: "Hello {name}" }, de: { hello: "Hallo {name}" } })`. */
export function catalogue<const C extends { en: Messages; [language: string]: Messages }>(texts: C & Checked<C>): Translate<C["en"]> {
  const filled = (key: PropertyKey, values: Record<string, unknown> = {}) => split(textOf(texts, String(key), values), values);
  const t = (key: PropertyKey, values?: Record<string, unknown>) => filled(key, values).join("");
  const rich = (key: PropertyKey, values?: Record<string, unknown>) =>
    createElement(Fragment, null, ...(filled(key, values) as ReactNode[]));
  return Object.assign(t, { rich, texts }) as unknown as Translate<C["en"]>;
}

function textOf(texts: { [language: string]: Messages }, key: string, values: Record<string, unknown>): string {
  const language = texts[currentLanguage()]?.[key] === undefined ? "en" : currentLanguage();
  const message = texts[language]?.[key] ?? key;
  if (typeof message === "string") return message;
  const form = new Intl.PluralRules(language).select(Number(values.count));
  return message[form] ?? message.other;
}

/** The pieces of a text, its holes filled once: a hole in a value stays what somebody wrote. */
function split(text: string, values: Record<string, unknown>): unknown[] {
  return text.split(/(\{\w+\})/).map((piece) => {
    const name = /^\{(\w+)\}$/.exec(piece)?.[1];
    if (name === undefined || !(name in values)) return piece;
    const value = values[name];
    return typeof value === "number" ? number(value, 3) : value;
  });
}

const holes = (message: Message) => {
  const forms = typeof message === "string" ? [message] : [...Object.values(message), "{count}"];
  return [...new Set(forms.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort().join(" ");
};

/** What is wrong with a catalogue: keys, holes and plural forms that a language lacks or has beyond English. For tests. */
export function flaws(texts: { readonly [language: string]: Messages }): string[] {
  const { en = {}, ...others } = texts;
  return Object.entries({ en, ...others }).flatMap(([language, messages]) => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    const keys = [...new Set([...Object.keys(en), ...Object.keys(messages)])];
    return keys.flatMap((key) => flaw(en[key], messages[key], pluralCategories).map((what) => `${language}: ${key}: ${what}`));
  });
}

function flaw(source: Message | undefined, message: Message | undefined, categories: string[]): string[] {
  if (source === undefined) return ["not in English"];
  if (message === undefined) return ["missing"];
  const wanted = holes(source);
  const found = holes(message) === wanted ? [] : [`holes are "${holes(message)}", in English "${wanted}"`];
  if (typeof message === "string") return found;
  return [...found, ...categories.filter((form) => !(form in message)).map((form) => `no form \`${form}\``)];
}
