import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestFunction, TestPlatform } from './_platform.ts';

const H_PARAMETER = -4;
const H_RTAS = 0xf000;
const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const BUFFER = 0x1000;

/** platform.md section 3: token, counts that are checked, status when they are wrong. */
const COUNTED: readonly (readonly [token: number, nargs: number, nret: number, status: number])[] = [
  [0x2001, 0, 8, PARAM_ERROR],
  [0x2002, 7, 1, PARAM_ERROR],
  [0x2003, 2, 1, PARAM_ERROR],
  [0x2004, 0, 1, PARAM_ERROR],
  [0x2005, 1, 2, PARAM_ERROR],
  [0x2006, 3, 1, PARAM_ERROR],
  [0x200a, 3, 1, PARAM_ERROR],
  [0x200b, 1, 3, PARAM_ERROR],
  [0x200c, 1, 1, PARAM_ERROR],
  [0x200d, 1, 1, PARAM_ERROR],
  [0x200f, 4, 1, PARAM_ERROR],
  [0x2012, 3, 2, PARAM_ERROR],
  [0x2013, 3, 2, PARAM_ERROR],
  [0x2014, 2, 2, HW_ERROR],
  [0x2015, 3, 1, HW_ERROR],
  [0x2016, 4, 2, HW_ERROR],
  [0x2017, 5, 1, HW_ERROR],
  [0x201a, 3, 1, PARAM_ERROR],
  [0x201b, 2, 2, PARAM_ERROR],
  [0x201c, 1, 2, PARAM_ERROR],
  [0x201d, 2, 2, PARAM_ERROR],
  [0x201e, 2, 1, PARAM_ERROR],
  [0x2027, 5, 4, PARAM_ERROR],
  [0x2028, 1, 1, PARAM_ERROR],
  [0x2029, 3, 1, PARAM_ERROR],
  [0x202a, 0, 1, PARAM_ERROR],
];

for (const [token, nargs, nret, status] of COUNTED) {
  test(`0x${token.toString(16)} insists on ${nargs} arguments and ${nret} results`, (t) => {
    const platform = new TestPlatform();
    const args = Array.from({ length: nargs + 1 }, () => 0);
    t.is(platform.rtas(token, args, nret)[0], status);
    t.is(platform.rtas(token, args.slice(1), nret + 1)[0], status);
    if (nargs > 0) t.is(platform.rtas(token, args.slice(2), nret)[0], status);
    t.deepEqual(platform.requests, []);
  });
}

test('a token that no call has: both the buffer and the hypercall say so', (t) => {
  const platform = new TestPlatform();
  for (const token of [0, 0xb, 0x1fff, 0x202d, 0xffff_ffff]) {
    t.is(platform.rtas(token, [], 1)[0], PARAM_ERROR);
    t.is(platform.hcall(H_RTAS, BUFFER), H_PARAMETER);
  }
});

const wordOf = fc.oneof(
  fc.constantFrom(0, 1, 2, 0x800, 0x800_0000, 0x2000_0000, 0x8000_0000, 0x1300, 0xffff_ffff, 0x3000),
  fc.nat({ max: 0x20 }),
  fc.nat({ max: 0xffff_ffff }),
);
const buffers = fc.array(
  fc.record({
    token: fc.oneof(fc.integer({ min: 0x2000, max: 0x202d }), wordOf),
    nargs: fc.oneof(fc.nat({ max: 8 }), wordOf),
    nret: fc.oneof(fc.nat({ max: 8 }), wordOf),
    args: fc.array(wordOf, { maxLength: 10 }),
    at: fc.oneof(
      fc.nat({ max: 0x10_0010 }).map((n) => 0xf_0000 + n),
      fc.constant(BUFFER),
    ),
  }),
  { maxLength: 10 },
);

prop(
  'no argument buffer makes RTAS throw, and a restored platform does the same again',
  [buffers, buffers],
  (first, second) => {
    const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
    platform.papr.plug(0, new TestFunction(8, 4));
    const run = (steps: typeof first): string => {
      let answers = '';
      for (const { token, nargs, nret, args, at } of steps) {
        for (const [i, word] of [token, nargs, nret, ...args].entries()) {
          if (at + 4 * i + 4 <= platform.memory.size) platform.memory.setU32(at + 4 * i, word, false);
        }
        answers += `${platform.hcall(H_RTAS, at)} `;
      }
      return answers + platform.digest();
    };
    run(first);
    const saved = platform.save();
    const once = run(second);
    platform.restore(saved);
    return run(second) === once;
  },
);
