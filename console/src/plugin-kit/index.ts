// @sysmanage/plugin-kit: what an engine's pages import. Everything here is a contract with engines and only grows.
export type * from "./types";
export { ApiProblem, engineApi, query, request, send, upload, type Call } from "./api";
export { catalogue, type Message, type Messages, type Translate } from "./catalogue";
export { listen, useEvents, type HostEvent } from "./events";
export { registerEngine } from "./registry";
export { useEngine, type Engine } from "./engine-context";
export { ChangeButton, CodeEditor, EngineLink, HrefLink, PageHeader, ProblemAlert, StateBadge, stateWord, When, type CodeEditorProps } from "./parts";
/** Written as in the reader's language; a moment that is not there is `never`. */
export { ago, bytes, currentLanguage, date, day, duration, number, useLanguage } from "../i18n";
