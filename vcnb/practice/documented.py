"""Which errors the service documents, and in which words.

Source: the service's page of error codes, and recorded or reported answers where it is silent (November 2026).
One row an error; the fault "error" brings any of them on demand.
"""

from __future__ import annotations

from vcnb.protocol.synthesis import REALTIME_MODEL_MESSAGE, VOICE_MESSAGE

__all__ = ["DOCUMENTED", "of_code"]

_INTERNAL = "An internal error has occured, please try again later or contact service support."  # the page's spelling
_CAPACITY = "Too many requests. Your requests are being throttled due to system capacity limits."

# status, code, message
DOCUMENTED: tuple[tuple[int, str, str], ...] = (
    (400, "InvalidParameter", "Required parameter(s) missing or invalid, please check the request parameters."),
    (400, "InvalidParameter", "Range of input length should be [1, 600]"),
    (400, "InvalidParameter", "url error, please check url！"),
    (400, "InvalidParameter", REALTIME_MODEL_MESSAGE),
    (400, "InvalidParameter", VOICE_MESSAGE),
    (400, "InvalidParameter", "Model not exist."),
    (400, "BadRequest.EmptyInput", "Required input parameter missing from request."),
    (400, "BadRequest.EmptyParameters", "Required parameters missing from request."),
    (400, "BadRequest.EmptyModel", "Required model parameter missing from request."),
    (400, "BadRequest.IllegalInput", "The input parameter requires json format."),
    (400, "BadRequest.InputDownloadFailed", "Failed to download the input file."),
    (400, "BadRequest.UnsupportedFileFormat", "Input file format is not supported."),
    (400, "BadRequest.TooLarge", "Payload Too Large."),
    (400, "BadRequest.VoiceNotFound", "Voice '%s' not found."),
    (400, "BadRequest.ResourceNotExist", "The required resource does not exist."),
    (400, "Audio.PreprocessError", "Audio preprocess error."),
    (400, "Audio.PreprocessError", "No segments meet minimum duration requirement"),
    (400, "Audio.PreprocessError", "ASR text check failed, wer: 1.0"),
    (400, "Audio.DecoderError", "Decoder audio file failed."),
    (400, "Audio.AudioRateError", "File sample rate unsupported."),
    (400, "Audio.DurationLimitError", "Audio duration exceeds maximum allowed limit."),
    (400, "Audio.AudioShortError", "valid audio too short!"),
    (400, "Audio.AudioSilentError", "silent audio error."),
    (400, "Throttling.AllocationQuota", "Maximum voice storage limit exceeded, please delete existing voices."),
    (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
    (400, "Arrearage", "Access denied, please make sure your account is in good standing."),
    (400, "InvalidURL", "Invalid URL provided in your request."),
    (400, "ClientDisconnect", "Client disconnected before task finished!"),
    (401, "InvalidApiKey", "Invalid API-key provided."),
    (401, "invalid_api_key", "Incorrect API key provided."),
    (403, "AccessDenied", "Access denied."),
    (403, "AccessDenied.Unpurchased", "Access to model denied. Please make sure you are eligible for using the model."),
    (403, "Model.AccessDenied", "Model access denied."),
    (403, "Workspace.AccessDenied", "Workspace access denied."),
    (403, "AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted."),
    (404, "ModelNotFound", "Model can not be found."),
    (404, "WorkSpaceNotFound", "WorkSpace can not be found."),
    (404, "NotFound", "Not found!"),
    (429, "Throttling", "Requests throttling triggered."),
    (429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
    (429, "LimitRequests", "Requests rate limit exceeded, please try again later."),
    (429, "Throttling.BurstRate", "Request rate increased too quickly. To ensure system stability, please slow down."),
    (429, "Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit."),
    (429, "CommodityNotPurchased", "Commodity has not purchased yet."),
    (429, "PrepaidBillOverdue", "The prepaid bill is overdue."),
    (429, "PostpaidBillOverdue", "The postpaid bill is overdue."),
    (430, "Audio.DecoderError", "Decoder audio file failed."),
    (430, "Audio.FileSizeExceed", "File too large"),
    (430, "Audio.AudioRateError", "File sample rate unsupported."),
    (430, "Audio.AudioSilentError", "silent audio error!"),
    (500, "InternalError", _INTERNAL),
    (500, "InternalError.Algo", _INTERNAL),
    (500, "InternalError.Timeout", _INTERNAL),
    (500, "SystemError", _INTERNAL),
    (500, "ModelServiceFailed", _INTERNAL),
    (500, "RequestTimeOut", _INTERNAL),
    (500, "ModelServingError", _CAPACITY),
    (503, "ModelServingError", _CAPACITY),
    (503, "ModelUnavailable", "Model is unavailable, please try again later."),
)


def of_code(code: str, status: int | None = None) -> tuple[int, str, str]:
    """Find the first documented error of a code.

    Parameters
    ----------
    code : str
        For example "Throttling.RateQuota".
    status : int, optional
        Where the code has several.

    Returns
    -------
    tuple
        Status, code, message; status 400 and an empty message for a code that nobody documents.
    """
    for row in DOCUMENTED:
        if row[1] == code and status in (None, row[0]):
            return row
    return status or 400, code, ""
