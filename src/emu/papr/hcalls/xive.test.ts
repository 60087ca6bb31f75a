import test from 'ava';
import { TestPlatform } from '../_platform.ts';

test('before client-architecture-support chose XIVE its calls do not exist', (t) => {
  const platform = new TestPlatform();
  for (let number = 0x3a8; number <= 0x3d0; number += 4) {
    t.is(platform.hcall(number, 0, 0x1101, 0, 0xff), -2);
    t.is(platform.output(1), 0x1101n);
  }
});
