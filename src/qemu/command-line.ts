import type { BackendConfig, MachineConfig } from '../emu/machine/config.ts';

/** Files and ends outside that a machine's back ends stand on. */
export interface BackendPlaces {
  /** The file of a disk. */
  disk(id: string): string;
  /** What an entropy device reads. */
  entropy(id: string): string;
  /** UDP port of a network end that sends to itself. */
  netPort(id: string): number;
  /** How QEMU reads and writes disks: `io_uring`, or `threads` where the kernel has none or does not give it. */
  readonly aio: string;
}

/** A device whose notifications are served inside the guest's store, where that is to be had. */
export function synchronous(device: string): string {
  return /^virtio-(blk|net|rng|scsi)-/.test(device) ? `${device},ioeventfd=off` : device;
}

/** QEMU's arguments for a machine, all but those of the bridge itself. */
export function machineArguments(config: MachineConfig, places: BackendPlaces): string[] {
  const args = ['-machine', `${withoutHtm(config.machine)},memory-backend=ram0`, '-smp', String(config.cpus)];
  for (const backend of config.backends) args.push(...backendArguments(backend, places));
  for (const value of config.globals) args.push('-global', value);
  for (const device of config.devices) args.push('-device', device);
  return args;
}

/** Types up to 2.11 turn transactional memory on, which TCG does not have; no other behaviour hangs on it. */
function withoutHtm(machine: string): string {
  const version = /^pseries-2\.(\d+)/.exec(machine);
  const wanted = version !== null && Number(version[1]) <= 11 && !machine.includes('cap-htm');
  return wanted ? `${machine},cap-htm=off` : machine;
}

function backendArguments(backend: BackendConfig, places: BackendPlaces): string[] {
  switch (backend.kind) {
    case 'disk': {
      const readOnly = backend.readOnly ? 'on' : 'off';
      return [
        '-blockdev',
        `driver=raw,node-name=${backend.id},read-only=${readOnly},file.driver=file,file.filename=${places.disk(backend.id)},file.locking=off,file.aio=${places.aio}`,
      ];
    }
    case 'net': {
      const port = places.netPort(backend.id);
      return ['-netdev', `socket,id=${backend.id},udp=127.0.0.1:${port},localaddr=127.0.0.1:${port}`];
    }
    case 'entropy':
      return ['-object', `rng-random,id=${backend.id},filename=${places.entropy(backend.id)}`];
    case 'chardev':
      return ['-chardev', `null,id=${backend.id}`];
    case 'iothread':
      return ['-object', `iothread,id=${backend.id}`];
    // RAM is the bridge's own file.
    case 'memory':
      return [];
    default:
      return ['-object', `cryptodev-backend-builtin,id=${backend.id}`];
  }
}
