import { parentPort, workerData } from 'node:worker_threads';
import { BlockRunner } from './block.ts';
import { machineFactory } from './factory.ts';
import type { Plan } from './plan.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly plan: Plan;
  /** One word: the case that is running. */
  readonly progress: Int32Array;
}

/** What it is asked: a block, and the case it ends before. */
export interface WorkerTask {
  readonly block: number;
  readonly end: number;
}

const start = workerData as WorkerStart;
const runner = new BlockRunner(start.plan, machineFactory(start.plan.plants), start.progress);
parentPort?.on('message', (task: WorkerTask) => {
  parentPort?.postMessage(runner.run(task.block, task.end));
});
