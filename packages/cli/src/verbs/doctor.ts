import { verb } from "../verb.ts";

export default verb((command, effects) => {
  command.option("--json", "everything as JSON, operators out of reach included").action(async (options: { json?: boolean }) => {
    const { diagnose, formatDiagnosis } = await import("@perennial/torch");
    const diagnosis = diagnose();
    effects.out(`${options.json === true ? JSON.stringify(diagnosis, null, 2) : formatDiagnosis(diagnosis)}\n`);
  });
});
