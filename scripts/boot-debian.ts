// Boots Debian's own ppc64el kernels to a shell: `npm run boot:debian [-- 6.1|6.12]`. Kernels and busybox come from the
// Debian mirror that apt knows, pinned by hash, into .cache/debian; nothing of them is committed. Each mode and
// iommu_platform setting gets a disk whose bytes are checked on both sides, and a network card whose frames come back.
// Where the packages cannot be had, the script says so and ends with status 0.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const CACHE = '.cache/debian';
const POOL_LINUX = 'pool/main/l/linux';

interface Package {
  readonly path: string;
  readonly sha256: string;
}

interface Kernel {
  readonly name: string;
  readonly package: Package;
  /** In the order in which they are loaded. */
  readonly modules: readonly string[];
}

const BUSYBOX: Package = {
  path: 'pool/main/b/busybox/busybox-static_1.35.0-4+deb12u1+b1_ppc64el.deb',
  sha256: '932deb885b840a8cf529708c03a1e87833dc64e66a70585721f8a356d9fe995b',
};

const KERNELS: readonly Kernel[] = [
  {
    name: '6.1',
    package: {
      path: `${POOL_LINUX}/linux-image-6.1.0-50-powerpc64le_6.1.176-1_ppc64el.deb`,
      sha256: '0513cb05cef43064db6e62e5b71f6a316cf4854ea4fb873263e8e50a1254999e',
    },
    modules: [
      'virtio',
      'virtio_ring',
      'virtio_pci_modern_dev',
      'virtio_pci_legacy_dev',
      'virtio_pci',
      'virtio_blk',
      'failover',
      'net_failover',
      'virtio_net',
    ],
  },
  {
    name: '6.12',
    package: {
      path: `${POOL_LINUX}/linux-image-6.12.107+deb13-powerpc64le_6.12.107-1_ppc64el.deb`,
      sha256: 'b31bd6d3a2e7e557702e9481a8957a7ea7dbbc533cc1d588519fcd40ecbdff8b',
    },
    modules: ['virtio_blk', 'failover', 'net_failover', 'virtio_net'],
  },
];

/** Certificates and self-tests of cryptography are two thirds of a boot, and say nothing about devices. */
const COMMAND_LINE =
  'console=hvc0 cryptomgr.notests=1 initcall_blacklist=load_system_certificate_list,fips_signature_selftest_init,jent_mod_init,trace_eval_init,trace_eval_sync';

const MODES = [
  ['legacy', 'off'],
  ['transitional', 'off'],
  ['modern', 'off'],
  ['modern', 'on'],
] as const;

const MARK = 'papyrus-wrote-this';
const MARK_SECTOR = 10;
const DISK_BYTES = 1 << 20;

const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules); do insmod /$m.ko 2>/dev/null; done
echo "shell $(uname -r)"
echo "sort $(printf '3\\n1\\n2\\n' | sort | tr '\\n' ' ')"
echo "sha256 $(echo hello | sha256sum)"
echo "awk $(awk 'BEGIN { x = 1; for (i = 0; i < 9; i++) x = x * 1.5 - i / 3; printf "%.6f %d %e", x, 7 / 2, 1 / 3 }')"
echo "disk $(dd if=/dev/vda bs=512 count=8 2>/dev/null | sha256sum)"
echo ${MARK} | dd of=/dev/vda bs=512 seek=${MARK_SECTOR} conv=sync 2>/dev/null; sync
ifconfig eth0 10.0.0.1 up && ping -c 1 -W 1 10.0.0.2 > /dev/null 2>&1
echo "net $(cat /sys/class/net/eth0/statistics/rx_packets) frames"
poweroff -f
`;

function main(wanted: readonly string[]): number {
  mkdirSync(CACHE, { recursive: true });
  const busybox = fetched(BUSYBOX);
  if (busybox === undefined) return 0;
  let wrong = 0;
  for (const kernel of KERNELS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const unpacked = fetched(kernel.package);
    if (unpacked === undefined) continue;
    const image = globSync(join(unpacked, 'boot/vmlinux-*'))[0] ?? '';
    const initrd = join(CACHE, `initrd-${kernel.name}.cpio`);
    writeFileSync(initrd, archive(join(busybox, 'bin/busybox'), unpacked, kernel.modules));
    for (const [mode, iommu] of MODES) if (!boots(kernel.name, image, initrd, mode, iommu)) wrong++;
  }
  return wrong === 0 ? 0 : 1;
}

/** The folder that a package is unpacked in; undefined with a sentence where it cannot be had. */
function fetched(wanted: Package): string | undefined {
  const file = join(CACHE, basename(wanted.path));
  const folder = file.replace(/\.deb$/, '');
  if (existsSync(folder)) return folder;
  if (!existsSync(file)) {
    const mirror = mirrorOfApt();
    if (mirror === undefined) return skipped(`${basename(wanted.path)}: apt knows no Debian mirror here`);
    const got = spawnSync('curl', ['-sSfL', '-o', file, `${mirror}${wanted.path}`], { encoding: 'utf8' });
    if (got.status !== 0) return skipped(`${basename(wanted.path)} cannot be fetched: ${got.stderr.trim()}`);
  }
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== wanted.sha256) {
    rmSync(file);
    return skipped(`${basename(wanted.path)} is not the package that is pinned: its SHA-256 is ${found}`);
  }
  const unpacked = spawnSync('dpkg-deb', ['-x', file, folder], { encoding: 'utf8' });
  return unpacked.status === 0 ? folder : skipped(`dpkg-deb cannot unpack ${file}: ${unpacked.stderr ?? ''}`);
}

function mirrorOfApt(): string | undefined {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').find((line) => line.endsWith('/debian/'));
}

function skipped(sentence: string): undefined {
  process.stdout.write(`skipped: ${sentence}\n`);
  return undefined;
}

/** One entry of a cpio archive of the `newc` form. */
function entry(
  name: string,
  mode: number,
  data: Uint8Array,
  inode: number,
  device: readonly [number, number] = [0, 0],
): Buffer {
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  return Buffer.concat([padded(Buffer.from(header)), padded(data)]);
}

const NOTHING = new Uint8Array(0);

function archive(busybox: string, unpacked: string, modules: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  const add = (name: string, mode: number, data: Uint8Array, device?: readonly [number, number]): void => {
    parts.push(entry(name, mode, data, parts.length + 1, device));
  };
  for (const folder of ['dev', 'proc', 'sys', 'bin']) add(folder, 0o40755, NOTHING);
  add('dev/console', 0o20600, NOTHING, [5, 1]);
  add('bin/busybox', 0o100755, readFileSync(busybox));
  for (const name of modules) add(`${name}.ko`, 0o100644, moduleOf(unpacked, name));
  add('modules', 0o100644, Buffer.from(`${modules.join('\n')}\n`));
  add('init', 0o100755, Buffer.from(INIT));
  add('TRAILER!!!', 0, NOTHING);
  return Buffer.concat(parts);
}

function moduleOf(unpacked: string, name: string): Uint8Array {
  const file = globSync(join(unpacked, `{lib,usr/lib}/modules/**/${name}.ko*`))[0];
  if (file === undefined) throw new Error(`${unpacked} has no module ${name}`);
  if (!file.endsWith('.xz')) return readFileSync(file);
  return spawnSync('xz', ['-dc', file], { maxBuffer: 1 << 28 }).stdout;
}

/** What the guest has to say, whatever kernel and transport. */
const EXPECTED: readonly RegExp[] = [
  /^shell 6\./m,
  /^sort 1 2 3/m,
  /^sha256 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 /m,
  /^net [1-9]\d* frames/m,
];

function boots(kernel: string, image: string, initrd: string, mode: string, iommu: string): boolean {
  const disk = join(CACHE, 'disk.img');
  const content = Buffer.from(Array.from({ length: DISK_BYTES }, (_, i) => (i * 7 + (i >> 9) * 13) & 0xff));
  writeFileSync(disk, content);
  const began = process.hrtime.bigint();
  const run = spawnSync(
    process.execPath,
    // oxfmt-ignore
    [
      '--disable-warning=ExperimentalWarning', resolve('src/cli.ts'), 'boot', '--json', '--net',
      '--kernel', image, '--initrd', initrd, '--append', COMMAND_LINE, '--drive', disk,
      '--mode', mode, '--iommu-platform', iommu, '--budget', '4000000000',
    ],
    { encoding: 'utf8', input: '', maxBuffer: 1 << 26 },
  );
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const text = run.stdout.replaceAll('\r', '');
  const half = createHash('sha256').update(content.subarray(0, 4096)).digest('hex');
  // What awk prints, computed here: no digit of it may come from a wrong bit of floating point.
  let x = 1;
  for (let i = 0; i < 9; i++) x = x * 1.5 - i / 3;
  const missing = [
    ...EXPECTED.filter((line) => !line.test(text)).map(String),
    ...[`disk ${half}`, `awk ${x.toFixed(6)} 3 3.333333e-01`].filter((line) => !text.includes(line)),
  ];
  const marked = content.subarray();
  marked.fill(0, 512 * MARK_SECTOR, 512 * (MARK_SECTOR + 1)).write(`${MARK}\n`, 512 * MARK_SECTOR);
  if (!readFileSync(disk).equals(marked)) missing.push('the mark, and nothing else, in the image');
  const summary = run.stderr.trim().split('\n').at(-1) ?? '';
  const good = run.status === 0 && missing.length === 0;
  process.stdout.write(
    `${kernel} ${mode} iommu_platform=${iommu}: ${good ? 'works' : 'FAILS'}, ${seconds.toFixed(1)} s, ${summary}\n`,
  );
  for (const line of good ? [] : missing) process.stdout.write(`  missing: ${line}\n`);
  if (!good) writeFileSync(join(CACHE, `failed-${kernel}-${mode}-${iommu}.txt`), run.stdout + run.stderr);
  return good;
}

process.exitCode = main(process.argv.slice(2));
