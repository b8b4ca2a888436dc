// What licence management says, by language.
import { catalogue } from "@sysmanage/plugin-kit";
import { de } from "./texts/de";
import { en } from "./texts/en";

export const t = catalogue({ en, de });
