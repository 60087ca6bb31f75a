// What secure guests get, run on the ultravisor: guests.md section 4, rows 10 to 14, and rule R34.
import test from 'ava';
import { runSecureMatrix, SECURE_MATRIX_NAMES } from './secure-cells.ts';

test('a secure guest works exactly with ACCESS_PLATFORM, a direct window and a shared pool', (t) => {
  const cells = [...runSecureMatrix({ machine: ['pseries-7.2', 'pseries-2.6'], device: ['rng', 'blk'] })];
  t.is(cells.length, 2 * 3 * 2 * 2 * SECURE_MATRIX_NAMES.guest.length);
  for (const { machine, mode, iommuPlatform, guest, device, verdict, reason } of cells) {
    const where = `${machine} ${mode} ${iommuPlatform} ${guest} ${device}: ${reason}`;
    if (iommuPlatform && mode !== 'modern') {
      t.is(verdict, 'refused', where);
      continue;
    }
    const able = guest === 'svm-5.10' || guest === 'svm-5.10-smp';
    t.is(verdict, iommuPlatform && able && machine === 'pseries-7.2' ? 'works' : 'fails', where);
  }
});

test('each failure has its reason', (t) => {
  const reason = (guest: string, machine = 'pseries-7.2', iommuPlatform = 'on'): string => {
    const filter = { machine: [machine], mode: ['modern'], iommuPlatform: [iommuPlatform], guest: [guest] };
    return [...runSecureMatrix({ ...filter, device: ['blk'] })][0]?.reason ?? '';
  };
  t.regex(reason('svm-hash'), /^not secure: r3 = -4, H_SVM_INIT_START returned -67/);
  t.regex(reason('svm-5.4'), /addresses that no table has/);
  t.regex(reason('svm-5.19'), /read ciphertext/);
  t.regex(reason('svm-no-platform'), /^virtio: device refuses features/);
  t.regex(reason('svm-no-platform', 'pseries-7.2', 'off'), /wrote into a secure frame/);
  t.regex(reason('svm-default-window'), /wrote into a secure frame/);
  t.regex(reason('svm-5.10', 'pseries-2.6'), /wrote into a secure frame/);
});
