import type { Options } from "../../stacks/config.ts";
import { columns } from "../columns.ts";
import { type Item, items, total, type Usage } from "./items.ts";
import type { Price } from "./prices.ts";
import { type Risk, risks } from "./risks.ts";
import { type Variant, variants } from "./variants.ts";

/** What a stack would be, before anything is paid for. */
export interface Explanation {
  usage: Usage;
  /** What is made in the account; empty where nothing is. */
  items: Item[];
  /** Yuan a month; the sum of the items that have a price. */
  total: { monthly: number; without: string[] };
  risks: Risk[];
  variants: Variant[];
}

export function explain(options: Options, usage: Usage): Explanation {
  const { aliyun } = options;
  const rows = aliyun ? items(aliyun, usage) : [];
  return {
    usage,
    items: rows,
    total: total(rows),
    risks: risks(options),
    variants: aliyun ? variants(aliyun, usage) : [],
  };
}

const yuan = (value: number | undefined) => (value === undefined ? "?" : value.toFixed(2));
const each = (price?: Price) => (price ? `${price.cny} per ${price.per}` : "not known here");
const from = (price?: Price) => (price ? `${price.source}, ${price.date}` : "see the buy page");

/** The same for people. */
export function explanationText({ items, total, risks, variants }: Explanation): string {
  const made =
    items.length === 0
      ? ["Nothing is made or paid for by this stack: the machines are yours."]
      : [
          "Made in the account, in yuan a month (720 hours, pay as you go, mainland China, no discount):",
          ...columns([
            ["", "a month", "price", "from", "at the end (destroy)"],
            ...items.map(({ what, monthly, price, end }) => [what, yuan(monthly), each(price), from(price), end]),
            [
              "total",
              yuan(total.monthly),
              "",
              total.without.length > 0 ? `without ${total.without.join(", ")}` : "",
              "",
            ],
          ]),
          "Rough prices are that: your account's own are on the buy pages. Traffic often costs more than all the rest.",
        ];
  const single = risks.filter(({ single }) => single).map(({ part }) => part);
  return [
    ...made,
    "",
    `Single points of failure that remain: ${single.join("; ")}.`,
    "",
    ...columns([
      ["if this is lost", "downtime", "data"],
      ...risks.map(({ part, downtime, data }) => [part, downtime, data]),
    ]),
    ...(variants.length > 0
      ? [
          "",
          ...columns([
            ["another choice", "yuan a month", "what it changes"],
            ...variants.map(({ option, difference, change }) => [
              option,
              difference === undefined ? "?" : `${difference > 0 ? "+" : ""}${yuan(difference)}`,
              change,
            ]),
          ]),
        ]
      : []),
  ].join("\n");
}
