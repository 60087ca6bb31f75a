import {
  PCI_CAP_ID_EXP,
  PCI_CAP_ID_PM,
  PCI_CONFIG_SPACE_SIZE,
  PCI_EXP_DEVCAP,
  PCI_EXP_DEVCAP2,
  PCI_EXP_DEVCTL,
  PCI_EXP_DEVCTL2,
  PCI_EXP_DEVSTA,
  PCI_EXP_FLAGS,
  PCI_EXP_LNKCAP,
  PCI_EXP_LNKCTL,
  PCI_EXP_LNKSTA,
  PCI_EXP_VER2_SIZEOF,
  PCI_PM_CTRL,
  PCI_PM_CTRL_STATE_MASK,
  PCI_PM_PMC,
  PCI_PM_SIZEOF,
} from './abi.ts';
import type { ConfigSpace } from './config-space.ts';

/** Express endpoint behind a port, by register (PCIe 2.0, 7.8; values of QEMU's hw/pci/pcie.c). */
const FLAGS_ENDPOINT_V2 = 0x0002;
const DEVCAP_RBER = 0x8000;
const DEVCAP_FLR = 0x1000_0000;
const LNKCAP_X1_2_5GT_ASPM_L0S = 0x0411;
const LNKSTA_X1_2_5GT = 0x0011;
const DEVCAP2_EFF_EETLPP = 0x0030_0000;
const DEVCTL2_EETLPPB = 0x8000;
const DEVCTL_ERRORS = 0x000f;
const DEVCTL_FLR = 0x8000;
const DEVSTA_ERRORS = 0x000f;
const LNKCTL_CCC_ES = 0x00c0;
const PMC_REVISION_1_2 = 0x0003;

/** Advanced error reporting (7.10). */
const AER_HEADER = 0x0002_0001;
const AER_SIZE = 0x48;
const AER_UNCORRECTABLE_STATUS = 0x04;
const AER_UNCORRECTABLE_SEVERITY = 0x0c;
const AER_CORRECTABLE_STATUS = 0x10;
const AER_CORRECTABLE_MASK = 0x14;
const AER_CONTROL = 0x18;
const AER_UNCORRECTABLE_SUPPORTED = 0x03ff_f030;
const AER_SEVERITY_DEFAULT = 0x0046_2030;
const AER_CORRECTABLE_SUPPORTED = 0x0000_f1c1;
const AER_CORRECTABLE_MASK_DEFAULT = 0x0000_e000;
const AER_CONTROL_CAPABLE = 0x00a0;
const AER_CONTROL_WRITABLE = 0x0140;

/** Address translation services (SR-IOV family, ATS 1.1). */
const ATS_ID = 0x000f;
const ATS_VERSION = 1;
const ATS_SIZE = 8;
const ATS_CAPABILITY = 4;
const ATS_CONTROL = 6;
const ATS_PAGE_ALIGNED = 0x0020;
const ATS_CONTROL_WRITABLE = 0x800f;

/** The `x-pcie-*`, `aer` and `ats` properties of a virtio-pci device. */
export interface ExpressOptions {
  readonly extendedCapabilities: boolean;
  readonly deviceErrors: boolean;
  readonly linkControl: boolean;
  readonly powerManagement: boolean;
  readonly functionReset: boolean;
  readonly aer: boolean;
  readonly ats: boolean;
  readonly atsPageAligned: boolean;
}

/** What a PCI Express endpoint adds to its function: capabilities here, and later the reset by register. */
export class ExpressCapability {
  readonly #config: ConfigSpace;
  readonly #options: ExpressOptions;
  readonly #express: number;
  readonly #power: number;

  constructor(config: ConfigSpace, options: ExpressOptions) {
    this.#config = config;
    this.#options = options;
    this.#express = this.#addExpress();
    this.#power = config.addCapability(PCI_CAP_ID_PM, PCI_PM_SIZEOF);
    config.set(this.#power + PCI_PM_PMC, 2, PMC_REVISION_1_2);
    let extended = PCI_CONFIG_SPACE_SIZE;
    if (options.aer) extended = this.#addAer(extended);
    this.#openRegisters();
    if (options.ats) this.#addAts(extended);
  }

  /** After a configuration write: true, once, if the driver asked for a function level reset. */
  takeReset(): boolean {
    if (!this.#options.functionReset) return false;
    const at = this.#express + PCI_EXP_DEVCTL;
    const control = this.#config.read(at, 2);
    if ((control & DEVCTL_FLR) === 0) return false;
    this.#config.set(at, 2, control & ~DEVCTL_FLR);
    return true;
  }

  reset(): void {
    const control = this.#express + PCI_EXP_DEVCTL;
    this.#config.set(control, 2, this.#config.read(control, 2) & ~DEVCTL_ERRORS);
    const link = this.#express + PCI_EXP_LNKCTL;
    this.#config.set(link, 2, this.#config.read(link, 2) & ~LNKCTL_CCC_ES);
    this.#config.set(this.#power + PCI_PM_CTRL, 2, 0);
  }

  #addExpress(): number {
    const config = this.#config;
    const at = config.addCapability(PCI_CAP_ID_EXP, PCI_EXP_VER2_SIZEOF);
    const options = this.#options;
    config.set(at + PCI_EXP_FLAGS, 2, FLAGS_ENDPOINT_V2);
    config.set(at + PCI_EXP_DEVCAP, 4, DEVCAP_RBER | (options.functionReset ? DEVCAP_FLR : 0));
    config.set(at + PCI_EXP_LNKCAP, 4, LNKCAP_X1_2_5GT_ASPM_L0S);
    config.set(at + PCI_EXP_LNKSTA, 2, LNKSTA_X1_2_5GT);
    config.set(at + PCI_EXP_DEVCAP2, 4, DEVCAP2_EFF_EETLPP);
    config.allow(at + PCI_EXP_DEVCTL2, 2, DEVCTL2_EETLPPB);
    // A null extended capability header; without it the word is plain storage.
    if (options.extendedCapabilities) config.allow(PCI_CONFIG_SPACE_SIZE, 4, 0);
    return at;
  }

  #openRegisters(): void {
    const config = this.#config;
    const options = this.#options;
    const errors = options.deviceErrors ? DEVCTL_ERRORS : 0;
    config.allow(this.#express + PCI_EXP_DEVCTL, 2, errors | (options.functionReset ? DEVCTL_FLR : 0));
    if (options.deviceErrors) config.allowClear(this.#express + PCI_EXP_DEVSTA, 2, DEVSTA_ERRORS);
    if (options.linkControl) config.allow(this.#express + PCI_EXP_LNKCTL, 2, LNKCTL_CCC_ES);
    if (options.powerManagement) config.allow(this.#power + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK);
  }

  #addAer(at: number): number {
    const config = this.#config;
    this.#claim(at, AER_SIZE);
    config.set(at, 4, AER_HEADER);
    config.allowClear(at + AER_UNCORRECTABLE_STATUS, 4, AER_UNCORRECTABLE_SUPPORTED);
    config.set(at + AER_UNCORRECTABLE_SEVERITY, 4, AER_SEVERITY_DEFAULT);
    config.allow(at + AER_UNCORRECTABLE_SEVERITY, 4, AER_UNCORRECTABLE_SUPPORTED);
    config.allowClear(at + AER_CORRECTABLE_STATUS, 4, AER_CORRECTABLE_SUPPORTED);
    config.set(at + AER_CORRECTABLE_MASK, 4, AER_CORRECTABLE_MASK_DEFAULT);
    config.allow(at + AER_CORRECTABLE_MASK, 4, AER_CORRECTABLE_SUPPORTED);
    config.set(at + AER_CONTROL, 4, AER_CONTROL_CAPABLE);
    config.allow(at + AER_CONTROL, 4, AER_CONTROL_WRITABLE);
    return at + AER_SIZE;
  }

  #addAts(at: number): void {
    const config = this.#config;
    if (at !== PCI_CONFIG_SPACE_SIZE) {
      // The one capability before it is AER, whose header holds the link in its upper 12 bits.
      config.set(PCI_CONFIG_SPACE_SIZE, 4, (config.read(PCI_CONFIG_SPACE_SIZE, 4) & 0xfffff) | (at << 20));
    }
    this.#claim(at, ATS_SIZE);
    config.set(at, 4, ATS_ID | (ATS_VERSION << 16));
    config.set(at + ATS_CAPABILITY, 2, this.#options.atsPageAligned ? ATS_PAGE_ALIGNED : 0);
    config.allow(at + ATS_CONTROL, 2, ATS_CONTROL_WRITABLE);
  }

  #claim(at: number, size: number): void {
    for (let i = 0; i < size; i++) this.#config.allow(at + i, 1, 0);
  }
}
