/**
 * A reporter for node's test runner that writes one JSON line per test: what the runner of this project counts. Suites
 * are left out, so that a test is counted once; a file that could not even be loaded arrives as a failed test.
 */
import type { TestEvent } from 'node:test/reporters';

export interface TestResult {
  readonly name: string;
  readonly file: string | undefined;
  readonly outcome: 'passed' | 'failed' | 'skipped';
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const result = resultOf(event);
    if (result !== undefined) yield `${JSON.stringify(result)}\n`;
  }
}

function resultOf(event: TestEvent): TestResult | undefined {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, file, details, skip, todo } = event.data;
  if (details.type === 'suite') return undefined;
  // Node reports skip: true and skip: '' alike as present; both mean that nothing was tested.
  const isSkipped = skip !== undefined || todo !== undefined;
  const ran = event.type === 'test:pass' ? 'passed' : 'failed';
  return { name, file, outcome: isSkipped ? 'skipped' : ran };
}
