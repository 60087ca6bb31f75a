import test from 'ava';
import { TestPlatform } from './_platform.ts';
import { NOT_IMPLEMENTED } from './not-implemented.ts';

test('what is missing answers as the table says', (t) => {
  const seen = (name: string): string => NOT_IMPLEMENTED.find((row) => row.name.includes(name))?.seen ?? '';
  const platform = new TestPlatform();
  for (const [name, numbers] of [
    ['H_ENTER', [0x04, 0x08, 0x0c, 0x18, 0x124]],
    ['XIVE', [0x3a8, 0x3ac, 0x3b0, 0x3b4, 0x3b8, 0x3bc, 0x3c0, 0x3c4, 0x3c8, 0x3cc, 0x3d0]],
    ['H_ENTER_NESTED', [0xf800, 0xf804, 0xf80c]],
    ['VOF', [0xf005]],
  ] as const) {
    t.true(seen(name).startsWith('H_FUNCTION'), name);
    for (const number of numbers) t.is(platform.hcall(number), -2);
  }
  t.true(seen('hash guests').startsWith('H_AUTHORITY'));
  const hash = new TestPlatform({ cpu: 'power8' });
  t.is(hash.hcall(0x36c, 0, 20), -10);
  t.is(hash.hcall(0x370, 0, 20), -10);
});
