import type { FastifyRequest } from "fastify";
import { loginPagePath } from "../../api/routes/session.ts";

export const xmlType = "text/xml; charset=utf-8";

/** Returns whether a request is for the NAS's login page. Its clients read XML only, errors too. */
export function isLoginPage({ raw }: FastifyRequest): boolean {
  const path = (raw.url ?? "").split("?", 1)[0];
  return path === loginPagePath || path === `${loginPagePath}/`;
}

/** Returns an error in the form of the page's own refusals. */
export function loginPageError(message: string): string {
  return loginPageXml({ authPassed: "0", errorValue: "-3", message });
}

/** Returns the XML document of the login page with these elements. */
export function loginPageXml(fields: Record<string, string>): string {
  const lines = Object.entries(fields).map(
    ([name, value]) => `  <${name}><![CDATA[${value.replaceAll("]]>", "")}]]></${name}>`,
  );
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<QDocRoot version="1.0">', ...lines, "</QDocRoot>", ""].join("\n");
}
