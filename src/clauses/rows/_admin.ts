import type { ClauseProofs } from '../_laws.ts';
import { le16, le64, type Stream } from '../_stream.ts';

const SCENE = { device: 'blk', queues: 2, offers: [41] } as const;
const ADMIN = 1;

/** The driver learns where the administration virtqueue is, and sends it a command. */
function send(
  s: Stream,
  opcode: number,
  data: readonly number[],
  result: readonly number[],
  status = 0,
): Stream {
  s.setUp().read('common', 0x3c, 2, ADMIN);
  const command = [...le16(opcode), ...le16(1), ...Array.from({ length: 12 }, () => 0), ...le64(1n), ...data];
  const answer = [...le16(status), 0, 0, 0, 0, 0, 0, ...result];
  return s.request(ADMIN, [command, answer.length], answer);
}

const entry = (flags: number, bar: number, offset: bigint): number[] => [
  flags,
  bar,
  ...Array.from({ length: 6 }, () => 0),
  ...le64(offset),
];
const END = entry(0, 0, 0n);
const listed = (opcodes: bigint) => (s: Stream) => void send(s, 0, [], le64(opcodes));
const notified =
  (...entries: readonly (readonly number[])[]) =>
  (s: Stream) =>
    void send(s, 6, [], entries.flat());
const readField =
  (offset: number, result: readonly number[], status = 0) =>
  (s: Stream) =>
    void send(s, 3, [offset], result, status);

export const ADMIN_PROOFS: ClauseProofs = {
  'ADML-DEV-001': { breach: { ...SCENE, play: listed(0x1fn) }, clean: { ...SCENE, play: listed(0x3fn) } },
  'ADML-DEV-002': {
    breach: { ...SCENE, play: readField(12, [1, 2]) },
    clean: { ...SCENE, play: readField(12, [0, 1]) },
  },
  'ADML-DEV-003': {
    breach: { ...SCENE, play: readField(13, [0, 1]) },
    clean: { ...SCENE, play: readField(12, [0, 1, 0, 0], 22) },
  },
  'ADML-DEV-012': { breach: { ...SCENE, play: listed(0x43n) }, clean: { ...SCENE, play: listed(0x7fn) } },
  'ADML-DEV-013': {
    breach: { ...SCENE, play: notified(entry(1, 4, 0n), entry(1, 4, 0n), entry(1, 4, 0n), entry(1, 4, 0n)) },
    clean: { ...SCENE, play: notified(entry(1, 4, 0n), END, END, END) },
  },
  'ADML-DEV-014': {
    breach: { ...SCENE, play: notified(entry(2, 6, 0n), END, END, END) },
    clean: { ...SCENE, play: notified(entry(2, 5, 0n), END, END, END) },
  },
  'ADML-DEV-015': {
    breach: { ...SCENE, play: notified(entry(1, 4, 0x3001n), END, END, END) },
    clean: { ...SCENE, play: notified(entry(1, 4, 0x3002n), END, END, END) },
  },
  'ADML-DRV-002': {
    breach: { ...SCENE, play: (s) => void send(s, 2, [14, 0, 0, 0, 0, 0, 0, 0, 1], []) },
    clean: { ...SCENE, play: (s) => void send(s, 2, [14, 0, 0, 0, 0, 0, 0, 0, 1, 0], []) },
  },
};
