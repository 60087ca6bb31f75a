import test from 'ava';
import { UsageError } from './options.ts';
import { clauses, explainClause } from './clauses.ts';

/** What a command writes to stdout. */
async function output(run: () => Promise<number>): Promise<string> {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => {
    lines.push(String(text));
    return true;
  };
  try {
    await run();
  } finally {
    process.stdout.write = write;
  }
  return lines.join('');
}

interface Document {
  readonly rows: number;
  readonly decidable: number;
  readonly checked: number;
  readonly exercised: number;
  readonly broken: number;
  readonly files: number;
  readonly sections: readonly { readonly section: string; readonly rows: number }[];
}

async function documentOf(on: string, section?: string): Promise<Document> {
  const options = { json: true, on, ...(section === undefined ? {} : { section }) };
  return JSON.parse(await output(() => clauses(options))) as Document;
}

test.serial('a case, a recording and a folder of them are judged', async (t) => {
  const one = await documentOf('corpora/hostile-rings/d01-descriptor-loop.case');
  t.is(one.rows, 858);
  t.is(one.decidable, 580);
  t.is(one.files, 1);
  t.true(one.exercised > 0);
  const recorded = await documentOf('recordings/d01-descriptor-loop.rec.cbor');
  t.true(recorded.exercised > 0);
  const section = await documentOf('corpora/hostile-rings', '2.1');
  t.true(section.files > 3);
  t.deepEqual(
    section.sections.map((row) => row.section),
    ['2.1'],
  );
});

test.serial('an operator who names what there is not is told so', async (t) => {
  await t.throwsAsync(clauses({ json: false, on: 'nowhere' }), {
    instanceOf: UsageError,
    message: /nowhere/,
  });
  await t.throwsAsync(clauses({ json: false, on: 'package.json' }), {
    instanceOf: UsageError,
    message: /neither a recording/,
  });
  await t.throwsAsync(clauses({ json: false, on: 'corpora', section: '9.9' }), {
    instanceOf: UsageError,
    message: /section 9\.9; chapters are 1\.3, 2\.1/,
  });
});

test.serial('a clause is explained with who watches over it and where it applied', (t) => {
  const text = explainClause('stat-drv-002', false) ?? '';
  t.regex(text, /STAT-DRV-002: A status bit/);
  t.regex(text, /judges the driver/);
  t.regex(text, /it applied \d+ times in \d+ files, first in \S+\.case/);
  t.is(explainClause('STAT-DRV-999', false), undefined);
});
