export { type ChatMessage, type ChatOptions, ChatTemplate, loadChatTemplate, readMessages } from "./chat-template.ts";
export { Template, type TemplateOptions } from "./jinja.ts";
export { pythonRepr, pythonText } from "./repr.ts";
export type { TemplateFunction } from "./string-methods.ts";
