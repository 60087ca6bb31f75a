import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import {
  address,
  count,
  duration,
  index,
  UsageError,
  words,
  wordsOf,
  type BenchOptions,
  type BootOptions,
  type ConformOptions,
  type ClausesOptions,
  type CorpusOptions,
  type DiffOptions,
  type ExplainOptions,
  type FuzzOptions,
  type InspectOptions,
  type MatrixOptions,
  type MinimiseOptions,
  type OracleOptions,
  type RecordOptions,
  type ReplayOptions,
  type SelfcheckOptions,
} from './options.ts';

/** Hands the exit status of the command that ran to whoever parses. */
type Ended = (status: number) => void;

const MODES = ['legacy', 'transitional', 'modern'];
const SWITCH = ['on', 'off'];
const BEHAVIOURS = ['qemu-7.2', 'spec'];

/** The whole command line. A command's code is loaded when it runs, so that help and errors come at once. */
export function program(ended: Ended): Command {
  const papyrus = new Command('papyrus')
    .description(
      'A deterministic emulator of the IBM pseries (PAPR) virtual machine that records, replays, fuzzes and compares its virtio I/O.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    // main.ts says it, in one sentence.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ optionDescription: describe })
    .showSuggestionAfterError();

  addFuzz(papyrus, ended);
  addOracle(papyrus, ended);
  addRecord(papyrus, ended);
  addReplay(papyrus, ended);
  addInspect(papyrus, ended);
  addDiff(papyrus, ended);
  addMinimise(papyrus, ended);
  addMatrix(papyrus, ended);
  addExplain(papyrus, ended);
  addClauses(papyrus, ended);
  addConform(papyrus, ended);
  addCorpus(papyrus, ended);
  addSelfcheck(papyrus, ended);
  addBench(papyrus, ended);
  addBoot(papyrus, ended);

  papyrus.addHelpText(
    'after',
    `
Exit status: 0 nothing is wrong; 1 what was asked about is wrong (a finding, a divergence, a mismatch); 2 the command
could not be carried out, with one sentence on stderr. Colours follow NO_COLOR.

Examples:
  papyrus fuzz --time 30s                    look for broken rings and mappings for half a minute
  papyrus replay recordings/                 repeat every recording, bit by bit
  papyrus conform golden/tce.jsonl           hold the log of a real QEMU against the emulator
  papyrus fuzz --help                        every flag of one command, with examples`,
  );
  return papyrus;
}

/** Defaults stand in the help where they say something: `false` and an empty list do not. */
function describe(option: Option): string {
  const notes: string[] = [];
  if (option.argChoices !== undefined) notes.push(`of ${option.argChoices.join(', ')}`);
  if (option.mandatory) notes.push('required');
  const value: unknown = option.defaultValue;
  if (option.defaultValueDescription !== undefined) notes.push(`default: ${option.defaultValueDescription}`);
  else if (typeof value === 'string' || typeof value === 'number') notes.push(`default: ${value}`);
  return notes.length === 0 ? option.description : `${option.description} (${notes.join('; ')})`;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { readonly version: string }).version;
}

function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, does]) => `  papyrus ${command.padEnd(width)}  ${does}`);
  return `\nExamples:\n${rows.join('\n')}`;
}

function json(what = 'print one JSON document on stdout, and nothing else there'): Option {
  return new Option('--json', what).default(false);
}

function seed(): Option {
  return new Option('--seed <text>', 'fixes all chance; drawn and printed when not given').argParser(
    (text) => {
      if (text === '') throw new InvalidArgumentError('a seed has at least one letter');
      return text;
    },
  );
}

function behaviour(): Option {
  const option = new Option('--behaviour <name>', 'what devices do where QEMU and VIRTIO part');
  return option.choices(BEHAVIOURS).default(undefined, 'qemu-7.2');
}

function addFuzz(papyrus: Command, ended: Ended): void {
  papyrus
    .command('fuzz')
    .summary('look for broken rings and mappings, judge, shrink and store')
    .description(
      'Generates misbehaviour of guests and hosts over every mode, iommu_platform setting and machine, judges each run, shrinks and stores what it finds. With no flags: findings and regressions first, then 30 s of campaign on all cores, then a summary.',
    )
    .option('--time <span>', 'how long the campaign runs: 30s, 5m, 1h', duration)
    .option('--runs <n>', 'how many cases the campaign runs instead', count)
    .option('--jobs <n>', 'worker threads (default: one a core); results do not depend on it', count)
    .addOption(seed())
    .option(
      '--scenario <names>',
      'scenarios or groups (rings, tce, transport, secure, host), separated by commas',
      words,
      [],
    )
    .addOption(
      new Option('--mode <modes>', `of ${MODES.join(', ')}`).argParser(wordsOf(MODES)).default([], 'all'),
    )
    .addOption(
      new Option('--iommu-platform <settings>', 'of on, off').argParser(wordsOf(SWITCH)).default([], 'both'),
    )
    .option('--machine <types>', 'machine types, such as pseries-7.2,pseries-2.6', words, [])
    .addOption(behaviour())
    .option('--regressions', 'only repeat the stored findings and corpora', false)
    .option('--corpus <dir>', 'where inputs worth keeping live', 'corpora')
    .option('--findings <dir>', 'where findings are stored', 'findings')
    .option('--plant <faults>', 'plants known faults that the campaign must find', words, [])
    .option('--disallow <findings>', 'known findings that count as new', words, [])
    .option('--clauses <n>', 'judges one case in n clause by clause; 0: none (default: 16)', index)
    .option('--resume', 'goes on where an interrupted campaign ended', false)
    .option('--junit <file>', 'also writes a JUnit report')
    .option('--sarif <file>', 'also writes a SARIF report')
    .addOption(json('print JSON lines on stdout, the last one the summary'))
    .addHelpText(
      'after',
      examples(
        ['fuzz', 'what is stored first, then 30 s on all cores'],
        ['fuzz --seed 7 --runs 20000', 'the same run on every machine, whatever --jobs is'],
        ['fuzz --scenario rings --mode legacy', 'rings as a legacy driver lays them out'],
        ['fuzz --regressions', 'for CI: everything once found, and nothing new'],
      ),
    )
    .action(async (options: FuzzOptions) => {
      const { fuzz } = await import('./fuzz.ts');
      ended(await fuzz(options));
    });
}

function addOracle(papyrus: Command, ended: Ended): void {
  papyrus
    .command('oracle')
    .summary('run cases on a real QEMU beside the emulator, and compare')
    .description(
      'Runs cases on the real qemu-system-ppc64 beside the emulator and compares every observable: registers after hypercalls, register reads, memory and disk, used rings, log lines, and how QEMU ends. Differences that are understood are counted by name; any other is shrunk and stored.',
    )
    .option('--cases <n>', 'how many, spread over all configurations (default: 500)', count)
    .option('--case <file>', 'one case instead')
    .option('--qemu <path>', 'the program (default: qemu-system-ppc64 of the PATH)')
    .addOption(seed())
    .option('--scenario <names>', 'scenarios or groups, separated by commas', words, [])
    .addOption(
      new Option('--mode <modes>', `of ${MODES.join(', ')}`).argParser(wordsOf(MODES)).default([], 'all'),
    )
    .addOption(
      new Option('--iommu-platform <settings>', 'of on, off').argParser(wordsOf(SWITCH)).default([], 'both'),
    )
    .option('--machine <types>', 'machine types (default: pseries-7.2, pseries-5.0, pseries-2.6)', words, [])
    .option('--device <names>', 'devices: blk, net, rng, scsi', words, [])
    .option('--findings <dir>', 'where findings are stored', 'findings')
    .addOption(json('print JSON lines on stdout, the last one the summary'))
    .addHelpText(
      'after',
      examples(
        ['oracle --cases 500', 'what CI runs on every change'],
        ['oracle --cases 20000 --seed 7', 'a night on every configuration'],
        ['oracle --case findings/oracle-memory-net-0123456789abcdef.case', 'one difference again'],
      ),
    )
    .action(async (options: OracleOptions) => {
      const { oracle } = await import('./oracle.ts');
      ended(oracle(options));
    });
}

function addRecord(papyrus: Command, ended: Ended): void {
  papyrus
    .command('record')
    .summary('run one case and write its recording')
    .description('Runs one case and writes its recording.')
    .argument('<case>', 'a corpus file, a scenario with a seed (split-ring:42), or a guest profile')
    .requiredOption('-o, --output <file>', 'where the recording goes')
    .addOption(seed())
    .option('--machine <type>', 'machine type, such as pseries-7.2')
    .option('--device <option>', 'a device as QEMU takes it after -device')
    .option('--guest <profile>', 'guest profile that drives the device')
    .addOption(behaviour())
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['record split-ring:42 -o ring.rec.cbor', 'one case of a scenario, by its seed'],
        ['record corpora/hostile-rings/d01-descriptor-loop.case -o loop.rec.cbor', 'an input of the corpus'],
        ['record legacy-be --machine pseries-2.6 -o old.rec.cbor', 'a guest on an old machine'],
      ),
    )
    .action(async (what: string, options: Omit<RecordOptions, 'case'>) => {
      const { record } = await import('./record.ts');
      const { caseRunner } = await import('../fuzz/case-runner.ts');
      const { machineFactory } = await import('../fuzz/factory.ts');
      ended(await record({ ...options, case: what }, caseRunner(machineFactory([]))));
    });
}

function addReplay(papyrus: Command, ended: Ended): void {
  papyrus
    .command('replay')
    .summary('repeat recordings bit by bit')
    .description(
      'Replays recordings bit by bit. A divergence is named: the first event that differs, both values, and what last wrote the bytes that differ.',
    )
    .argument('<files...>', 'recordings, or folders of them')
    .option('--from <event>', 'first event that is compared', index)
    .option('--until <event>', 'stops after this event', index)
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['replay recordings/', 'every recording of a folder'],
        ['replay loop.rec.cbor --until 5000', 'the first 5,000 events only'],
      ),
    )
    .action(async (files: string[], options: Omit<ReplayOptions, 'files'>) => {
      const { replay } = await import('./replay.ts');
      const { caseRunner } = await import('../fuzz/case-runner.ts');
      const { machineFactory } = await import('../fuzz/factory.ts');
      const { fedMachine } = await import('../trace/fed-machine.ts');
      ended(await replay({ ...options, files }, caseRunner(machineFactory([])), fedMachine));
    });
}

function addInspect(papyrus: Command, ended: Ended): void {
  papyrus
    .command('inspect')
    .summary('print a recording as text')
    .description('Prints header, configuration and events of a recording as text. Filters add up.')
    .argument('<file>', 'a recording')
    .argument('[out]', 'where --to writes')
    .option('--kind <kinds>', 'kinds of events: hcall, dma-read, interrupt …', words, [])
    .option('--device <name>', 'events of one device')
    .option('--queue <n>', 'events of one queue', index)
    .option('--address <address>', 'events that touch this address', address)
    .option('--follow-request <n>', 'one request from the ring to the interrupt', index)
    .option('--follow-page <gfn>', 'the whole life of one guest page frame of 64 KiB', (text) =>
      Number(address(text)),
    )
    .option('--who-wrote <address>', 'what last wrote this address', address)
    .option('--from <event>', 'first event shown', index)
    .option('--until <event>', 'last event shown', index)
    .addOption(
      new Option('--to <format>', 'writes another format to [out] instead').choices([
        'pcapng',
        'perfetto',
        'json',
        'qtest',
      ]),
    )
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['inspect loop.rec.cbor', 'everything'],
        ['inspect loop.rec.cbor --kind hcall,hcall-return', 'what the guest asked of the hypervisor'],
        ['inspect loop.rec.cbor --who-wrote 0x100082', 'the last writer of an address'],
        ['inspect loop.rec.cbor --to json loop.json', 'for other tools'],
      ),
    )
    .action(
      async (
        file: string,
        out: string | undefined,
        options: Omit<InspectOptions, 'file' | 'to'> & { readonly to?: string },
      ) => {
        const { to, ...others } = options;
        if (to === undefined && out !== undefined)
          throw new UsageError(`inspect reads one file, not also ${out}`);
        if (to !== undefined && out === undefined)
          throw new UsageError(`--to ${to} wants the file it writes`);
        const { inspect } = await import('./inspect.ts');
        const target = to !== undefined && out !== undefined ? { to: [to, out] as const } : {};
        ended(await inspect({ ...others, file, ...target }));
      },
    );
}

function addDiff(papyrus: Command, ended: Ended): void {
  papyrus
    .command('diff')
    .summary('show the first difference of two recordings')
    .description('Shows the first difference of two recordings and what stands around it.')
    .argument('<a>', 'a recording')
    .argument('<b>', 'another')
    .addOption(json())
    .addHelpText('after', examples(['diff before.rec.cbor after.rec.cbor', 'exit status 1 if they differ']))
    .action(async (a: string, b: string, options: Omit<DiffOptions, 'a' | 'b'>) => {
      const { diff } = await import('./diff.ts');
      ended(await diff({ ...options, a, b }));
    });
}

function addMinimise(papyrus: Command, ended: Ended): void {
  papyrus
    .command('minimise')
    .summary('find the smallest case with the same verdict')
    .description('Finds the smallest case with the same verdict; drops configuration that does not matter.')
    .argument('<file>', 'a finding or a corpus file')
    .option('-o, --output <file>', 'where the smallest case goes (default: stdout)')
    .addOption(seed())
    .addOption(json())
    .addHelpText(
      'after',
      examples([
        'minimise findings/g1-blk-0123456789abcdef.case',
        'prints the smallest case that breaks alike',
      ]),
    )
    .action(async (file: string, options: Omit<MinimiseOptions, 'file'>) => {
      const { minimise } = await import('./minimise.ts');
      ended(await minimise({ ...options, file }));
    });
}

function addMatrix(papyrus: Command, ended: Ended): void {
  papyrus
    .command('matrix')
    .summary('print which guest works with which device on which machine')
    .description(
      'Runs every guest profile on every machine, mode, iommu_platform setting and device, and prints the verdict of each cell with its reason: found, negotiated, moved correct data, got its interrupt.',
    )
    .option('--guest <profiles>', 'guest profiles', words, [])
    .option('--machine <types>', 'machine types, such as pseries-7.2,pseries-2.6', words, [])
    .option('--device <devices>', 'of rng, blk, net', words, [])
    .addOption(
      new Option('--mode <modes>', `of ${MODES.join(', ')}`).argParser(wordsOf(MODES)).default([], 'all'),
    )
    .addOption(
      new Option('--iommu-platform <settings>', 'of on, off').argParser(wordsOf(SWITCH)).default([], 'both'),
    )
    .option(
      '--policy <name>',
      'a policy, or a file that holds one (./mine.json): tiers and what rescues a guest',
    )
    .option('--against <name>', 'a second policy: who loses and who wins by the change')
    .option('--html <file>', 'writes everything as one page that needs no network')
    .option(
      '--secure',
      'guests that become secure: each profile in each cell; with a policy, their tiers',
      false,
    )
    .option('--osinfo', 'guests from the installed osinfo-db, as far as they have a ppc64 medium', false)
    .option('--predict', 'runs nothing: what the rules say', false)
    .addOption(
      new Option('--cap <caps>', 'what caps a tier at Supported, of vendor, five-years')
        .argParser(wordsOf(['vendor', 'five-years']))
        .default([], 'nothing'),
    )
    .option('--today <date>', 'the day that --cap counts from, such as 2020-03-12')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['matrix', 'every cell'],
        ['matrix --policy upstream --against proposal', 'which guests the patches of 2020 would have broken'],
        ['matrix --policy ./mine.json --html matrix.html', 'a policy of your own, to look at'],
        ['matrix --machine pseries-7.2 --device blk', 'one machine, one device'],
        ['matrix --guest legacy-be --iommu-platform on', 'what an old guest can do with a modern setting'],
      ),
    )
    .action(async (options: MatrixOptions) => {
      const { asksForPolicies, threadMatrix } = await import('./thread-matrix.ts');
      if (asksForPolicies(options)) {
        ended(await threadMatrix(options));
        return;
      }
      const { matrix } = await import('./matrix.ts');
      ended(await matrix(options));
    });
}

function addClauses(papyrus: Command, ended: Ended): void {
  papyrus
    .command('clauses')
    .summary('show which clauses of VIRTIO are watched over, and who breaks them')
    .description(
      'Counts the normative statements of VIRTIO by section: how many a machine can decide, have a checker, applied in what was judged, and were broken by which behaviour of the device, or by a driver.',
    )
    .option('--section <number>', 'one section and those below, clause by clause')
    .option('--on <path>', 'a recording, a case, or a folder of them (default: those that come with Papyrus)')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['clauses --section 2.7', 'split rings, clause by clause'],
        ['clauses --on findings/', 'what the findings of a campaign break'],
      ),
    )
    .action(async (options: ClausesOptions) => {
      const { clauses } = await import('./clauses.ts');
      ended(await clauses(options));
    });
}

function addConform(papyrus: Command, ended: Ended): void {
  papyrus
    .command('conform')
    .summary('hold logs of a real QEMU against the emulator')
    .description(
      'Holds golden logs of a real QEMU against the emulator, line by line, and prints how many lines were judged, how many differ, and the first of those with both sides. Plain and zstd-compressed files; what a file holds is seen from its first lines.',
    )
    .argument('<files...>', 'golden logs, or folders of them')
    .option('--limit <n>', 'mismatches shown of each file', index, 10)
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['conform golden/tce.jsonl golden/pci.jsonl', 'two logs'],
        ['conform golden/*.zst --limit 3', 'compressed ones, three mismatches each'],
      ),
    )
    .action(async (files: string[], options: Omit<ConformOptions, 'files'>) => {
      const { conform } = await import('./conform.ts');
      ended(await conform({ ...options, files }));
    });
}

function addCorpus(papyrus: Command, ended: Ended): void {
  papyrus
    .command('corpus')
    .summary('look after stored inputs')
    .description('Looks after the inputs that a campaign found worth keeping.')
    .addArgument(new Argument('<action>', 'what to do').choices(['stats', 'merge', 'minimise', 'why']))
    .argument('[files...]', 'for merge: other corpora; for why: one input')
    .option('--corpus <dir>', 'the corpus', 'corpora')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['corpus stats', 'how many inputs, of which scenarios'],
        ['corpus merge ../other/corpora', 'takes over what adds something'],
        ['corpus why corpora/hostile-rings/d01-descriptor-loop.case', 'what this input alone reaches'],
      ),
    )
    .action(
      async (
        action: CorpusOptions['action'],
        files: string[],
        options: Omit<CorpusOptions, 'action' | 'files'>,
      ) => {
        const { corpus } = await import('./corpus.ts');
        ended(await corpus({ ...options, action, files }));
      },
    );
}

function addSelfcheck(papyrus: Command, ended: Ended): void {
  papyrus
    .command('selfcheck')
    .summary('show that runs are equal under every setting of the host')
    .description(
      'Runs a fixed set of cases again and again under other V8 settings, time zones, languages and numbers of workers, and prints the one digest they all give. An unequal digest names the setting, with exit status 1.',
    )
    .option('--quick', 'fewer cases', false)
    .addOption(new Option('--digest <jobs>').argParser(count).hideHelp())
    .addOption(json())
    .addHelpText(
      'after',
      examples(['selfcheck', 'half a minute'], ['selfcheck --quick', 'after an installation']),
    )
    .action(async (options: SelfcheckOptions) => {
      const { selfcheck } = await import('./selfcheck.ts');
      ended(await selfcheck(options));
    });
}

function addBench(papyrus: Command, ended: Ended): void {
  papyrus
    .command('bench')
    .summary('measure')
    .description(
      'Measures what the machine, the recorder and the campaign cost. Every row is a figure and its ratio to the baseline it names; of several interleaved rounds the best counts.',
    )
    .option('--quick', 'shorter rounds, rougher figures', false)
    .option('--only <rows>', 'only the rows whose names contain one of these words', words, [])
    .option('--faults', 'the planted faults instead: how soon each is found', false)
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['bench', 'the whole table'],
        ['bench --only hcall,register', 'two rows'],
        ['bench --json', 'for a graph'],
      ),
    )
    .action(async (options: BenchOptions) => {
      const { bench } = await import('./bench.ts');
      ended(await bench(options));
    });
}

function addBoot(papyrus: Command, ended: Ended): void {
  papyrus
    .command('boot')
    .summary('run a real kernel on an emulated POWER9')
    .description(
      'Runs a ppc64 or ppc64le kernel on an emulated POWER9, as qemu-system-ppc64 -kernel does with x-vof=on. The console is stdout and stdin; what the machine itself says goes to stderr. Time is the number of instructions, so a run without input is the same everywhere.',
    )
    .requiredOption('--kernel <file>', 'an ELF kernel: vmlinux or zImage')
    .option('--initrd <file>', 'an initial RAM disk')
    .option('--append <text>', 'the kernel’s command line', '')
    .option('--drive <file>', 'a raw image behind a virtio disk; what the guest writes is kept at the end')
    .option('--read-only', 'the guest may not write to the drive', false)
    .option('--net', 'a virtio network card whose frames come back', false)
    .option('--rng', 'a virtio entropy device', false)
    .addOption(new Option('--mode <mode>', 'of the virtio devices').choices(MODES))
    .addOption(new Option('--iommu-platform <setting>', 'of the virtio devices').choices(SWITCH))
    .option('--machine <type>', 'machine type and options', 'pseries-7.2')
    .addOption(new Option('--ram <MiB>', 'memory, in steps of 256').argParser(count).default(512))
    .addOption(new Option('--seed <text>', 'fixes all chance').default('papyrus'))
    .option('--budget <n>', 'instructions after which the guest counts as hung', count)
    .option('-o, --output <file>', 'records the boot, so that papyrus replay runs it again')
    .option('--no-reboot', 'ends where the guest asks for a reset')
    .addOption(json('print one JSON document on stderr when the guest ends'))
    .addHelpText(
      'after',
      examples(
        ['boot --kernel vmlinux --initrd initrd.cpio --append console=hvc0', 'to a shell'],
        ['boot --kernel vmlinux --drive disk.img --iommu-platform on', 'a disk behind TCEs'],
        ['boot --kernel vmlinux --budget 5000000000', 'exit status 1 if it hangs'],
      ),
    )
    .action(async (options: BootOptions) => {
      const { boot } = await import('./boot.ts');
      ended(await boot(options));
    });
}

function addExplain(papyrus: Command, ended: Ended): void {
  papyrus
    .command('explain')
    .summary('say why a cell of the matrix is as it is, or what a rule says')
    .description(
      'Why: a rule by its number, with its reason, source and test; a clause of VIRTIO by its number, with its checker and where it applied; or a cell, written as policy, machine, device with its properties, guest, and where they matter a slot, secure, capability.',
    )
    .argument('<what...>', 'R1 … R43, a clause, or a cell')
    .option('-o, --output <file>', 'records the life of the cell’s guest')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        ['explain STAT-DRV-002', 'a clause of the specification, and who keeps it'],
        ['explain R4', 'why iommu_platform=on refuses a transitional device'],
        ['explain proposal pseries-5.0 virtio-blk-pci rhel-6', 'why RHEL 6 finds no disk there'],
        ['explain upstream pseries-7.2 linux-5.6-svm secure', 'what a secure guest gets by default'],
      ),
    )
    .action(async (what: string[], options: Omit<ExplainOptions, 'what'>) => {
      const { explain } = await import('./explain.ts');
      ended(await explain({ ...options, what }));
    });
}
