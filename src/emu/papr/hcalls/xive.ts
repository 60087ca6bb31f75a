import {
  H_FUNCTION,
  H_INT_ESB,
  H_INT_GET_OS_REPORTING_LINE,
  H_INT_GET_QUEUE_CONFIG,
  H_INT_GET_QUEUE_INFO,
  H_INT_GET_SOURCE_CONFIG,
  H_INT_GET_SOURCE_INFO,
  H_INT_RESET,
  H_INT_SET_OS_REPORTING_LINE,
  H_INT_SET_QUEUE_CONFIG,
  H_INT_SET_SOURCE_CONFIG,
  H_INT_SYNC,
} from '../abi.ts';
import type { Hcall } from '../hcall-frame.ts';

/** What XIVE's calls answer until client-architecture-support chose it. */
const unknown = (): number => H_FUNCTION;

export const XIVE_HCALLS: readonly Hcall[] = [
  { number: H_INT_GET_SOURCE_INFO, name: 'H_INT_GET_SOURCE_INFO', run: unknown },
  { number: H_INT_SET_SOURCE_CONFIG, name: 'H_INT_SET_SOURCE_CONFIG', run: unknown },
  { number: H_INT_GET_SOURCE_CONFIG, name: 'H_INT_GET_SOURCE_CONFIG', run: unknown },
  { number: H_INT_GET_QUEUE_INFO, name: 'H_INT_GET_QUEUE_INFO', run: unknown },
  { number: H_INT_SET_QUEUE_CONFIG, name: 'H_INT_SET_QUEUE_CONFIG', run: unknown },
  { number: H_INT_GET_QUEUE_CONFIG, name: 'H_INT_GET_QUEUE_CONFIG', run: unknown },
  { number: H_INT_SET_OS_REPORTING_LINE, name: 'H_INT_SET_OS_REPORTING_LINE', run: unknown },
  { number: H_INT_GET_OS_REPORTING_LINE, name: 'H_INT_GET_OS_REPORTING_LINE', run: unknown },
  { number: H_INT_ESB, name: 'H_INT_ESB', run: unknown },
  { number: H_INT_SYNC, name: 'H_INT_SYNC', run: unknown },
  { number: H_INT_RESET, name: 'H_INT_RESET', run: unknown },
];
