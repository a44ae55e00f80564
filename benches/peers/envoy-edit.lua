function envoy_on_request(handle) handle:headers():replace("@NAME@", "@EDITED@") end
function envoy_on_response(handle) handle:headers():replace("@NAME@", "@EDITED@") end
