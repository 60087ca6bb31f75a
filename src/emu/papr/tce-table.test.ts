import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { Digest } from '../core/digest.ts';
import { TceTable, type TceSnapshot } from './tce-table.ts';

const ENTRIES = 2048;

const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    index: fc.integer({ min: 0, max: ENTRIES - 1 }),
    value: fc.integer({ min: 0, max: 5 }),
  }),
  fc.record({
    kind: fc.constant('fill' as const),
    index: fc.integer({ min: 0, max: ENTRIES - 1 }),
    count: fc.integer({ min: 1, max: ENTRIES }),
    value: fc.integer({ min: 0, max: 5 }),
  }),
  fc.record({ kind: fc.constant('clear' as const) }),
  fc.record({ kind: fc.constant('save' as const) }),
  fc.record({ kind: fc.constant('restore' as const), which: fc.nat({ max: 7 }) }),
);

function digestOf(table: TceTable): string {
  const digest = new Digest();
  table.digest(digest);
  return digest.hex();
}

/** The same content in a table that was never snapshot. */
function freshDigest(model: readonly number[]): string {
  const table = new TceTable(0);
  table.enable(12, 0, ENTRIES);
  for (const [index, value] of model.entries()) if (value !== 0) table.put(index, value, value + 1);
  return digestOf(table);
}

prop(
  'writes, fills, snapshots and restores in any order keep a table equal to a plain array',
  [fc.array(step, { maxLength: 40 })],
  (program) => {
    const table = new TceTable(0);
    table.enable(12, 0, ENTRIES);
    let model: number[] = Array.from({ length: ENTRIES }, () => 0);
    const saved: { readonly table: TceSnapshot; readonly model: readonly number[] }[] = [];
    for (const action of program) {
      if (action.kind === 'put') {
        table.put(action.index, action.value, action.value === 0 ? 0 : action.value + 1);
        model[action.index] = action.value;
      } else if (action.kind === 'fill') {
        const count = Math.min(action.count, ENTRIES - action.index);
        table.fill(action.index, count, action.value, action.value === 0 ? 0 : action.value + 1);
        model.fill(action.value, action.index, action.index + count);
      } else if (action.kind === 'clear') {
        table.clear();
        model.fill(0);
      } else if (action.kind === 'save') saved.push({ table: table.snapshot(), model: [...model] });
      else {
        const target = saved[action.which % Math.max(saved.length, 1)];
        if (target === undefined) continue;
        table.restore(target.table);
        model = [...target.model];
      }
    }
    return (
      model.every(
        (value, index) => table.high(index) === value && table.low(index) === (value === 0 ? 0 : value + 1),
      ) && digestOf(table) === freshDigest(model)
    );
  },
);
