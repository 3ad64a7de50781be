// The network map and its parts, as netmapcache.d.ts exports them.

/**
 * A network map: netmap.NetworkMap of tailscale.com, less the fields that follow from others
 * (NodeKey, AllCaps, PacketFilter). It and its parts have the field names of
 * tailscale.com/tailcfg. Fields that tailcfg leaves out of JSON when they are zero are undefined,
 * and so is TKAHead.
 *
 * Times are strings as of RFC 3339, keys are strings with a prefix ("nodekey:"), addresses and
 * prefixes are strings ("100.64.0.1/32"). Text that isn't UTF-8 has U+FFFD for each byte that is to blame; times before the
 * year 0 or after 9999 become the first or last of those years.
 *
 * Fields that a later version of tailscale.com has, and that this one doesn't know, are there too, but not declared: else a
 * name with a typing error would pass as one of them. `peer as NetmapNode & { NewField?: string }` tells of one.
 */
export interface Netmap {
  /** True if it came from a cache, false or absent if from the control plane. */
  Cached?: boolean | undefined;
  SelfNode: NetmapNode;
  MachineKey?: string | undefined;
  /** In order of `ID`. */
  Peers?: NetmapNode[] | null | undefined;
  DNS?: DNSConfig | undefined;
  PacketFilterRules?: FilterRule[] | null | undefined;
  SSHPolicy?: SSHPolicy | null | undefined;
  CollectServices?: boolean | undefined;
  DERPMap?: DERPMap | null | undefined;
  DisplayMessages?: Record<string, DisplayMessage> | null | undefined;
  TKAEnabled?: boolean | undefined;
  TKAHead?: string | undefined;
  Domain?: string | undefined;
  DomainAuditLogID?: string | undefined;
  /** By user ID. */
  UserProfiles?: Record<string, UserProfile> | null | undefined;
}

/**
 * The ID of a node or user: a number, or, above Number.MAX_SAFE_INTEGER, which Tailscale's
 * control plane exceeded before March 2023, a string of decimal digits. Durations of SSH sessions are alike.
 */
export type ID = number | string;

/** tailcfg.Node: this node or a peer. Its name keeps it apart from the DOM's Node. */
export interface NetmapNode {
  ID: ID;
  StableID: string;
  /** Fully qualified, with a trailing dot. */
  Name: string;
  User: ID;
  /** The user who shared the node, if it isn't `User`. */
  Sharer?: ID | undefined;
  Key: string;
  KeyExpiry?: string | undefined;
  KeySignature?: string | undefined;
  Machine?: string | undefined;
  DiscoKey?: string | undefined;
  Addresses: string[] | null;
  /** Addresses, and what else is routed to the node. `0.0.0.0/0` and `::/0` are those of an exit node. */
  AllowedIPs?: string[] | null | undefined;
  Endpoints?: string[] | undefined;
  DERP?: string | undefined;
  /** Region of the relay where the node is at home. */
  HomeDERP?: number | undefined;
  Hostinfo?: Hostinfo | null | undefined;
  Created?: string | undefined;
  Cap?: number | undefined;
  Tags?: string[] | undefined;
  /** Subnets that are routed by way of the node. */
  PrimaryRoutes?: string[] | undefined;
  LastSeen?: string | undefined;
  Online?: boolean | undefined;
  MachineAuthorized?: boolean | undefined;
  Capabilities?: string[] | undefined;
  CapMap?: Record<string, unknown[] | null> | undefined;
  UnsignedPeerAPIOnly?: boolean | undefined;
  ComputedName?: string | undefined;
  ComputedNameWithHost?: string | undefined;
  DataPlaneAuditLogID?: string | undefined;
  Expired?: boolean | undefined;
  SelfNodeV4MasqAddrForThisPeer?: string | undefined;
  SelfNodeV6MasqAddrForThisPeer?: string | undefined;
  IsWireGuardOnly?: boolean | undefined;
  IsJailed?: boolean | undefined;
  ExitNodeDNSResolvers?: (Resolver | null)[] | undefined;
}

/** True or false, or null where it is said that it isn't known. */
export type Known = boolean | null;

/** tailcfg.Hostinfo: what a node tells of itself. */
export interface Hostinfo {
  IPNVersion?: string | undefined;
  FrontendLogID?: string | undefined;
  BackendLogID?: string | undefined;
  OS?: string | undefined;
  OSVersion?: string | undefined;
  Container?: Known | undefined;
  Env?: string | undefined;
  Distro?: string | undefined;
  DistroVersion?: string | undefined;
  DistroCodeName?: string | undefined;
  App?: string | undefined;
  Desktop?: Known | undefined;
  Package?: string | undefined;
  DeviceModel?: string | undefined;
  PushDeviceToken?: string | undefined;
  Hostname?: string | undefined;
  ShieldsUp?: boolean | undefined;
  ShareeNode?: boolean | undefined;
  NoLogsNoSupport?: boolean | undefined;
  RemoteConfig?: boolean | undefined;
  WireIngress?: boolean | undefined;
  IngressEnabled?: boolean | undefined;
  AllowsUpdate?: boolean | undefined;
  Machine?: string | undefined;
  GoArch?: string | undefined;
  GoArchVar?: string | undefined;
  GoVersion?: string | undefined;
  /** Subnets that the node offers to route, and `0.0.0.0/0` if it offers to be an exit node. */
  RoutableIPs?: string[] | undefined;
  RequestTags?: string[] | undefined;
  WoLMACs?: string[] | undefined;
  Services?: Service[] | undefined;
  NetInfo?: NetInfo | null | undefined;
  sshHostKeys?: string[] | undefined;
  Cloud?: string | undefined;
  Userspace?: Known | undefined;
  UserspaceRouter?: Known | undefined;
  AppConnector?: Known | undefined;
  ServicesHash?: string | undefined;
  PeerRelay?: boolean | undefined;
  ExitNodeID?: string | undefined;
  Location?: NodeLocation | null | undefined;
  TPM?: TPMInfo | null | undefined;
  StateEncrypted?: Known | undefined;
}

/** tailcfg.Location: where a node, such as an exit node that is for rent, is. */
export interface NodeLocation {
  Country?: string | undefined;
  /** Of two letters. */
  CountryCode?: string | undefined;
  City?: string | undefined;
  CityCode?: string | undefined;
  /** In degrees. */
  Latitude?: number | undefined;
  /** In degrees. */
  Longitude?: number | undefined;
  /** The greater, the better. */
  Priority?: number | undefined;
}

/** tailcfg.Service: a service that a node offers. */
export interface Service {
  /** Such as `'tcp'` or `'peerapi4'`. */
  Proto: string;
  Port: number;
  Description?: string | undefined;
}

/** tailcfg.NetInfo: what a node knows of its network. */
export interface NetInfo {
  MappingVariesByDestIP?: Known | undefined;
  WorkingIPv6?: Known | undefined;
  OSHasIPv6?: Known | undefined;
  WorkingUDP?: Known | undefined;
  WorkingICMPv4?: Known | undefined;
  HavePortMap?: boolean | undefined;
  UPnP?: Known | undefined;
  PMP?: Known | undefined;
  PCP?: Known | undefined;
  PreferredDERP?: number | undefined;
  LinkType?: string | undefined;
  /** Seconds, by region and kind of address, such as `'1-v4'`. */
  DERPLatency?: Record<string, number> | undefined;
  FirewallMode?: string | undefined;
}

/** tailcfg.TPMInfo. */
export interface TPMInfo {
  Manufacturer?: string | undefined;
  Vendor?: string | undefined;
  Model?: number | undefined;
  FirmwareVersion?: number | undefined;
  SpecRevision?: number | undefined;
  FamilyIndicator?: string | undefined;
}

/** tailcfg.UserProfile. */
export interface UserProfile {
  ID: ID;
  LoginName: string;
  DisplayName: string;
  ProfilePicURL?: string | undefined;
  Groups?: string[] | undefined;
}

/** tailcfg.DNSConfig. */
export interface DNSConfig {
  Resolvers?: (Resolver | null)[] | undefined;
  Routes?: Record<string, (Resolver | null)[] | null> | undefined;
  FallbackResolvers?: (Resolver | null)[] | undefined;
  Domains?: string[] | undefined;
  Proxied?: boolean | undefined;
  Nameservers?: string[] | undefined;
  CertDomains?: string[] | undefined;
  ExtraRecords?: { Name: string; Type?: string | undefined; Value: string }[];
  ExitNodeFilteredSet?: string[] | undefined;
  TempCorpIssue13969?: string | undefined;
}

/** dnstype.Resolver. */
export interface Resolver {
  Addr?: string | undefined;
  BootstrapResolution?: string[] | undefined;
  UseWithExitNode?: boolean | undefined;
}

/** tailcfg.DERPMap: the relays. */
export interface DERPMap {
  HomeParams?: { RegionScore?: Record<string, number> } | null | undefined;
  Regions: Record<string, DERPRegion | null> | null;
  omitDefaultRegions?: boolean | undefined;
}

/** tailcfg.DERPRegion. */
export interface DERPRegion {
  RegionID: number;
  RegionCode: string;
  RegionName: string;
  /** In degrees. */
  Latitude?: number | undefined;
  /** In degrees. */
  Longitude?: number | undefined;
  Avoid?: boolean | undefined;
  NoMeasureNoHome?: boolean | undefined;
  Nodes: (DERPNode | null)[] | null;
}

/** tailcfg.DERPNode: a relay. */
export interface DERPNode {
  Name: string;
  RegionID: number;
  HostName: string;
  CertName?: string | undefined;
  IPv4?: string | undefined;
  IPv6?: string | undefined;
  STUNPort?: number | undefined;
  STUNOnly?: boolean | undefined;
  DERPPort?: number | undefined;
  InsecureForTests?: boolean | undefined;
  STUNTestIP?: string | undefined;
  CanPort80?: boolean | undefined;
}

/** tailcfg.FilterRule. */
export interface FilterRule {
  SrcIPs: string[] | null;
  SrcBits?: number[] | undefined;
  DstPorts?: { IP: string; Bits?: number | null | undefined; Ports: { First: number; Last: number } }[];
  IPProto?: number[] | undefined;
  CapGrant?: { Dsts: string[] | null; Caps?: string[] | undefined; CapMap?: Record<string, unknown[] | null> }[] | undefined;
}

/** tailcfg.SSHPolicy. */
export interface SSHPolicy {
  rules: (SSHRule | null)[] | null;
}

/** tailcfg.SSHRule. */
export interface SSHRule {
  ruleExpires?: string | undefined;
  principals: (SSHPrincipal | null)[] | null;
  sshUsers: Record<string, string> | null;
  action: SSHAction | null;
  acceptEnv?: string[] | undefined;
}

/** tailcfg.SSHPrincipal. */
export interface SSHPrincipal {
  node?: string | undefined;
  nodeIP?: string | undefined;
  userLogin?: string | undefined;
  any?: boolean | undefined;
  pubKeys?: string[] | undefined;
}

/** tailcfg.SSHAction. */
export interface SSHAction {
  message?: string | undefined;
  reject?: boolean | undefined;
  accept?: boolean | undefined;
  /** In nanoseconds. */
  sessionDuration?: ID | undefined;
  allowAgentForwarding?: boolean | undefined;
  holdAndDelegate?: string | undefined;
  allowLocalPortForwarding?: boolean | undefined;
  allowRemotePortForwarding?: boolean | undefined;
  recorders?: string[] | undefined;
  onRecordingFailure?: { RejectSessionWithMessage?: string | undefined; TerminateSessionWithMessage?: string | undefined; NotifyURL?: string } | null;
}

/** tailcfg.DisplayMessage: a warning of the control plane. */
export interface DisplayMessage {
  Title: string;
  Text: string;
  Severity: string;
  ImpactsConnectivity?: boolean | undefined;
  PrimaryAction?: { URL: string; Label: string } | null | undefined;
}
