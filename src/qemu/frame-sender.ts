import { Worker } from 'node:worker_threads';

/** Sends frames to a network end of QEMU: Node sends datagrams only asynchronously, so a thread does, and we wait. */
export class FrameSender {
  readonly #cells: Int32Array = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker = new Worker(SENDER, { eval: true, workerData: this.#cells });

  constructor() {
    this.#worker.unref();
  }

  /** Returns when the datagram is in the other socket's queue. */
  send(port: number, frame: Uint8Array): void {
    Atomics.store(this.#cells, 0, 0);
    this.#worker.postMessage({ port, frame });
    Atomics.wait(this.#cells, 0, 0, 5000);
  }

  stop(): void {
    void this.#worker.terminate();
  }
}

const SENDER = `
const { parentPort, workerData } = require('node:worker_threads');
const socket = require('node:dgram').createSocket('udp4');
parentPort.on('message', ({ port, frame }) => {
  socket.send(frame, port, '127.0.0.1', () => {
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
});
`;
