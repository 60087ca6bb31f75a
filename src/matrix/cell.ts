/** One cell of the matrix, and where its answer comes from. */
import { predictLife, type Fate, type Situation } from '../emu/machine/fate.ts';
import { construct, type Construction, type Request } from '../emu/machine/prediction.ts';

/** A construction with the name under which guests have seen it before. */
export interface Built {
  readonly construction: Construction;
  /** Devices with equal keys look the same to every guest. */
  readonly key: string;
  /** `realize`: the emulator built or refused it. `rule`: it has no such device, so the rules speak alone. */
  readonly by: 'realize' | 'rule';
}

export interface Answer extends Fate {
  /** `run`: a scripted guest lived it. `realize`: the emulator refused the device. `rule`: predicted only. */
  readonly by: 'run' | 'realize' | 'rule';
}

/** Whoever can say how a cell ends. */
export interface Source {
  construct(request: Request): Built;
  /** `built` is what `construct` said of this situation. */
  answer(situation: Situation, built: Built): Answer;
}

/** The rules alone: nothing is built and nobody runs. */
export class RuleSource implements Source {
  construct(request: Request): Built {
    const construction = construct(request);
    const key = construction.built
      ? `${request.version} ${construction.mode} ${construction.iommuPlatform} ${construction.packed}`
      : `${construction.by} ${construction.reason}`;
    return { construction, key, by: 'rule' };
  }

  answer(situation: Situation, { construction }: Built): Answer {
    return { ...predictLife(situation, construction), by: 'rule' };
  }
}
