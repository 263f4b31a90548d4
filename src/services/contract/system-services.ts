import type { BridgeList, PortUse, SystemInfo, SystemResource } from "../../api/system.ts";
import type { DomainNames, TlsInfo, TlsNotify, TlsResult } from "../../api/tls.ts";
import type { Caller } from "./caller.ts";
import type { Download } from "./download.ts";

/** Part of the interface in services.ts: the host, the station and its certificates. */

export interface Health {
  /** Always `ok`: the station answers. */
  status: "ok";
  /** The engines of the station, with whether each answers. */
  engines: { type: string; available: boolean }[];
}

export interface HealthService {
  /** Tells whether the station and its engines answer. Open to everybody. */
  get(): Health;
}

export interface SystemService {
  /** Returns information about the host and the station. */
  get(caller: Caller): Promise<SystemInfo>;
  /** Returns how busy the host is, measured over the last second or so. */
  resource(caller: Caller): Promise<SystemResource>;
  /**
   * Tells whether a process, a container or the station has a port, on any address of the host. `port` is from 1 to 65535.
   */
  port(caller: Caller, protocol: "tcp" | "udp", port: number): Promise<PortUse>;
  /** Lists the interfaces that containers can be bridged to. */
  bridges(caller: Caller): Promise<BridgeList>;
  /** Returns a zip for a bug report, without secrets. */
  report(caller: Caller): Promise<Download>;
}

export interface CertificateService {
  /** Returns the certificates' dates and settings. */
  get(caller: Caller): Promise<TlsInfo>;
  /** Says whether a notice is shown before a certificate ends. */
  setNotify(caller: Caller, request: TlsNotify): Promise<TlsResult>;
  /** Lists the names in the server's certificate. */
  domainNames(caller: Caller): Promise<DomainNames>;
  /** Replaces the names, and renews the server's certificate at once. */
  setDomainNames(caller: Caller, request: DomainNames): Promise<TlsResult>;
  /** Returns a zip of ca.pem, cert.pem and key.pem. Whoever has it is root of this host by its Docker. */
  exportClient(caller: Caller): Promise<Download>;
  /** Returns ca.pem. */
  exportAuthority(caller: Caller): Promise<Download>;
  /** Replaces all certificates. The client certificates given out so far open nothing when this resolves. */
  rotate(caller: Caller): Promise<TlsResult>;
}
