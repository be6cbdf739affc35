export declare const html: (strings: TemplateStringsArray, ...values: any[]) => import("preact").VNode<import("preact").Attributes>[] | import("preact").VNode<import("preact").Attributes>;
