import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';

type Arbitraries<Values extends readonly unknown[]> = {
  readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]>;
};

/**
 * An AVA test that claims something of all values. It fails when `holds` throws or returns false, and then
 * prints the seed, the shrunk values, and the one command that runs just that case again.
 *
 * FC_PATH names one case of one property, so it is heeded only together with the `--match` printed beside it.
 */
export function prop<Values extends [unknown, ...unknown[]]>(
  title: string,
  arbitraries: Arbitraries<Values>,
  holds: (...values: Values) => boolean | void,
  options: { readonly numRuns?: number } = {},
): void {
  test(title, (t) => {
    const path = process.env['FC_PATH'];
    // fc.property types its arguments one by one; the signature above has already matched them to `holds`.
    const property = fc.property(
      ...(arbitraries as unknown as [fc.Arbitrary<unknown>]),
      (...values: unknown[]) => holds(...(values as Values)),
    );
    const run = fc.check(property, path === undefined ? options : { ...options, path, endOnFailure: true });
    if (!run.failed) {
      t.pass();
      return;
    }
    const file = relative(process.cwd(), fileURLToPath(test.meta.file));
    const where = `FC_SEED=${run.seed} FC_PATH=${run.counterexamplePath ?? ''}`;
    t.log(`repeat: ${where} npm run ava -- ${file} --match ${shellQuoted(title)}`);
    if (run.errorInstance instanceof Error) t.log(run.errorInstance.stack ?? run.errorInstance.message);
    t.fail(fc.defaultReportMessage(run));
  });
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
