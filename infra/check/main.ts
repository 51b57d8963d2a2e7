/** `npm run check`: everything that can be said about the project without running it. */
import { checks } from './checks.ts';
import { runChecks } from './run-checks.ts';

const { failed } = await runChecks(checks, (line) => console.log(line));
process.exitCode = failed === 0 ? 0 : 1;
