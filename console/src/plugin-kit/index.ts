// @sysmanage/plugin-kit: what an engine's pages import. Everything here is a contract with engines and only grows.
export type * from "./types";
export { ApiProblem, engineApi, query, request, send, upload, type Call } from "./api";
export { listen, useEvents, type HostEvent } from "./events";
export { registerEngine } from "./registry";
export { useEngine, type Engine } from "./engine-context";
export { ChangeButton, CodeEditor, EngineLink, HrefLink, PageHeader, ProblemAlert, StateBadge, When, type CodeEditorProps } from "./parts";
