import test from 'ava';
import { asJson, asTable, figure } from './table.ts';

test('figures have three significant digits', (t) => {
  t.is(figure(0), '0');
  t.is(figure(1.23456), '1.23');
  t.is(figure(12.3456), '12.3');
  t.is(figure(123.456), '123');
  t.is(figure(1_234_567), '1,234,567');
  t.is(figure(0.012345), '0.0123');
  t.is(figure(Infinity), '–');
});

test('a row says what it is, how much, and against what', (t) => {
  const rows = [
    { name: 'H_PUT_TCE', value: 300, unit: 'ns', baseline: 10, baselineName: 'Map.set' },
    { name: 'cases', value: 6000, unit: 'cases/s', baseline: 440, baselineName: "QEMU's fuzzer" },
  ];
  t.is(
    asTable(rows),
    [
      'H_PUT_TCE    300  ns       30 × Map.set (10 ns)',
      "cases      6,000  cases/s  13.6 × QEMU's fuzzer (440 cases/s)",
    ].join('\n'),
  );
  t.deepEqual(asJson(rows), {
    type: 'summary',
    rows: [
      { ...rows[0], ratio: 30 },
      { ...rows[1], ratio: 6000 / 440 },
    ],
  });
});
