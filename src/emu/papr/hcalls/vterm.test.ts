import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const H_SUCCESS = 0;
const H_PARAMETER = -4;

test('consoles: lengths, units, and zeros behind carriage returns', (t) => {
  const platform = new TestPlatform();
  t.is(platform.hcall(0x58, 0x7100_0001, 3, 0x6869_2100_0000_0000n, 0), H_SUCCESS);
  t.is(platform.hcall(0x58, 0, 16, 0x2020_2020_2020_2020n, 0x2020_2020_2020_2021n), H_SUCCESS);
  t.is(platform.console, `hi!${' '.repeat(15)}!`);
  t.is(platform.hcall(0x58, 0x7100_0001, 17, 0, 0), H_PARAMETER);
  t.is(platform.hcall(0x58, 0x7100_0000, 1, 0, 0), H_PARAMETER, 'an nvram is no console');
  t.is(platform.hcall(0x54, 0x7100_0002), H_PARAMETER);
  t.is(platform.hcall(0x54, 1n << 32n), H_PARAMETER, 'unit 0 means all 64 bits');
  platform.papr.consoleInput(
    0,
    Uint8Array.from([0x61, 0x0d, 0x00, ...Array.from({ length: 20 }, () => 0x62)]),
  );
  const taken: string[] = [];
  for (let i = 0; i < 4; i++) {
    platform.hcall(0x54, 0);
    taken.push(`${platform.output(0)} ${platform.output(1).toString(16)} ${platform.output(2).toString(16)}`);
  }
  t.deepEqual(taken, [
    '2 610d000000000000 0',
    '16 62626262626262 6262626262626262',
    '5 6262626262000000 0',
    '0 0 0',
  ]);
});
