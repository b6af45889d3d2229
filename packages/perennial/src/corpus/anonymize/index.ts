export { type Anonymized, anonymizer, anonymizeSchema, FINEWEB2_ANONYMIZE, type PersonalData } from "./anonymize.ts";
