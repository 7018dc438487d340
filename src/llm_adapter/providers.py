"""The providers, one row each, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedListing:
    """A listing with an address and keys of its own; without these keys the usual one is asked.

    Attributes:
        url: its address, unless the environment says otherwise.
        url_variable: the environment variable that says otherwise.
        key_variables: the environment variables of the key's id and of its secret.
    """

    url: str
    url_variable: str
    key_variables: tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """One OpenAI-compatible provider.

    Attributes:
        key: its name in settings, errors and reports.
        base_url: where its API begins, unless the environment says otherwise.
        base_url_variable: the environment variable that says otherwise.
        key_variables: the environment variables its API key is looked for in, in order.
        second_key_variable: the environment variable of what goes with the key, where keys have two halves.
        header_variables: headers that say for whom a request is, each with its environment variable.
        prefix: what the application puts before the model's name; not sent.
        bare_models: how names without a prefix begin that belong to this provider; what it lists beside them
            (speech, embeddings) is not offered.
        lists_models: `GET /models` is asked.
        static_models: offered in any case, after what is listed.
        only_static: it has no others.
        fallback_models: offered when the listing fails.
        speaks: whose protocol it speaks, by LiteLLM's name for it; most are compatible with OpenAI's.
        has_legacy: there is a client of old for it, to which it can be switched back.
        signed_listing: where names of models are translated into what is sent, if anywhere.
        metered_as: the name in bills and meters, where that is not the key.
    """

    key: str
    base_url: str
    key_variables: tuple[str, ...]
    base_url_variable: str = ""
    second_key_variable: str = ""
    header_variables: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    bare_models: str = ""
    lists_models: bool = True
    static_models: tuple[str, ...] = ()
    only_static: bool = False
    fallback_models: tuple[str, ...] = ()
    speaks: str = "openai"
    has_legacy: bool = True
    signed_listing: SignedListing | None = None
    metered_as: str = ""

    def __post_init__(self) -> None:
        if not self.key_variables:
            raise ValueError(f"{self.key}: a provider needs key_variables")
        if not (self.base_url_variable or self.base_url.startswith(("http://", "https://"))):
            raise ValueError(f"{self.key}: base_url must begin with https:// or http://")

    def owns(self, model: str) -> bool:
        """Whether the application's name for a model leads to this provider, listed or not."""
        if self.only_static:
            return model in self.static_models
        start = self.prefix or self.bare_models
        return bool(start) and model.startswith(start) and len(model) > len(self.prefix)


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        key="openai",
        base_url="https://api.openai.com/v1",
        base_url_variable="OPENAI_BASE_URL",
        key_variables=("OPENAI_API_KEY",),
        header_variables=(("OpenAI-Organization", "OPENAI_ORG_ID"), ("OpenAI-Project", "OPENAI_PROJECT_ID")),
        bare_models="gpt",
    ),
    Provider(
        key="deepseek",
        base_url="https://api.deepseek.com",
        base_url_variable="DEEPSEEK_API_URL",
        key_variables=("DEEPSEEK_API_KEY",),
        bare_models="deepseek-",
        fallback_models=("deepseek-v4-flash", "deepseek-v4-pro", "deepseek-chat", "deepseek-reasoner"),
    ),
    Provider(
        key="qwen",
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        base_url_variable="QWEN_API_URL",
        key_variables=("QWEN_API_KEY",),
        prefix="qwen/",
        static_models=("deepseek-r1", "deepseek-v3"),
    ),
    Provider(
        key="ernie",
        base_url="https://qianfan.baidubce.com/v2",
        base_url_variable="ERNIE_BASE_URL",
        key_variables=("ERNIE_API_KEY",),
        prefix="ernie/",
        metered_as="ernie_v2",
        lists_models=False,
        static_models=(
            "ernie-4.0-8k-latest",
            "ernie-4.0-8k-preview",
            "ernie-4.0-8k",
            "ernie-4.0-turbo-8k-latest",
            "ernie-4.0-turbo-8k-preview",
            "ernie-4.0-turbo-8k",
            "ernie-4.0-turbo-128k",
            "ernie-3.5-8k-preview",
            "ernie-3.5-8k",
            "ernie-3.5-128k",
            "ernie-speed-8k",
            "ernie-speed-128k",
            "ernie-speed-pro-128k",
            "ernie-lite-8k",
            "ernie-lite-pro-128k",
            "ernie-tiny-8k",
            "ernie-char-8k",
            "ernie-char-fiction-8k",
            "ernie-novel-8k",
            "deepseek-v3",
            "deepseek-r1",
        ),
    ),
    Provider(
        key="ernie_v1",
        base_url="https://aip.baidubce.com",
        base_url_variable="ERNIE_V1_BASE_URL",
        key_variables=("ERNIE_API_ID",),
        second_key_variable="ERNIE_API_SECRET",
        bare_models="ERNIE-",
        lists_models=False,
        static_models=(
            "ERNIE-4.0-8K",
            "ERNIE-4.0-8K-Preview",
            "ERNIE-4.0-8K-0329",
            "ERNIE-4.0-8K-0104",
            "ERNIE-3.5-8K",
            "ERNIE-3.5-8K-0205",
            "ERNIE-3.5-8K-Preview",
            "ERNIE-3.5-128K",
            "ERNIE-Speed-8K",
            "ERNIE-Speed-128K",
            "ERNIE-4.0-8K-Preview-0518",
        ),
        only_static=True,
        speaks="ernie_v1",
    ),
    Provider(
        key="glm",
        base_url="https://open.bigmodel.cn/api/paas/v4",
        base_url_variable="BIGMODEL_BASE_URL",
        key_variables=("BIGMODEL_API_KEY", "GLM_API_KEY"),
        prefix="glm/",
    ),
    Provider(
        key="ark",
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        base_url_variable="ARK_BASE_URL",
        key_variables=("ARK_API_KEY",),
        prefix="ark/",
        signed_listing=SignedListing(
            url="https://open.volcengineapi.com",
            url_variable="ARK_LISTING_URL",
            key_variables=("ARK_ACCESS_KEY_ID", "ARK_SECRET_ACCESS_KEY"),
        ),
    ),
    Provider(
        key="silicon",
        base_url="https://api.siliconflow.cn/v1",
        base_url_variable="SILICON_BASE_URL",
        key_variables=("SILICON_API_KEY",),
        prefix="silicon/",
    ),
    Provider(
        key="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        base_url_variable="GEMINI_API_URL",
        key_variables=("GEMINI_API_KEY",),
        bare_models="gemini",
        speaks="gemini",
        has_legacy=False,
    ),
    Provider(
        key="dify",
        base_url="",  # an app's own server
        base_url_variable="DIFY_URL",
        key_variables=("DIFY_API_KEY",),
        bare_models="dify",
        lists_models=False,
        static_models=("dify",),
        only_static=True,
        speaks="dify",
    ),
)
