import test from 'ava';
import { GUEST_PROFILES, PROFILES_BY_NAME } from './profiles.ts';

const ACCESS_PLATFORM = 33;
const VERSION_1 = 32;

test('the profiles that guests.md lists are there, each name once', (t) => {
  t.is(PROFILES_BY_NAME.size, GUEST_PROFILES.length);
  const wanted =
    'legacy-be legacy-le rhel7 modern-noplat modern-plat slof-old slof-modern slof-iommu freebsd debian-6.1 debian-6.12';
  for (const name of wanted.split(' ')) t.true(PROFILES_BY_NAME.has(name), name);
});

test('rows agree with themselves', (t) => {
  for (const row of GUEST_PROFILES) {
    const accepts = (bit: number): boolean => row.transportFeatures.includes(bit);
    t.is(
      accepts(VERSION_1),
      row.transports.includes('modern'),
      `${row.name}: VERSION_1 is the modern interface's`,
    );
    t.is(
      accepts(ACCESS_PLATFORM),
      row.dma !== 'physical',
      `${row.name}: a mapping policy iff ACCESS_PLATFORM`,
    );
    t.true(row.pageShift === 12 || row.pageShift === 16, row.name);
    t.true(row.systems.length > 0 && row.evidence.length > 0, row.name);
  }
});
